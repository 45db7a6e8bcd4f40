"""`GET /problems/{name}`: what a problem's `type` means, at every service."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from common import problem_documents
from services.chassis.errors import NotFound


@get("/problems/{name:str}", public=True, include_in_schema=False, sync_to_thread=False)
def problem_type(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    document = problem_documents.documents().get(name)
    if document is None:
        raise NotFound("There is nothing at this address.")
    return Response(document, headers=problem_documents.headers(request.headers.get("Accept", "")))
