"""`GET /problems/{name}`: what a problem's `type` means, for who meets one at this site."""

from litestar import Request, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from common import problem_documents


@get("/problems/{name:str}", sync_to_thread=False)
def problem_type(request: Request, name: FromPath[str]) -> ASGIResponse:  # type: ignore[type-arg]
    document = problem_documents.documents().get(name)
    if document is None:
        raise NotFoundException
    headers = problem_documents.headers(request.headers.get("Accept", ""))
    return ASGIResponse(body=document, headers=headers, media_type=headers["Content-Type"])
