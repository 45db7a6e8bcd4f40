"""Answers that a plugin gives by itself: RFC 9457 problem documents.

Every `name` has a page in docs/problems/, which `type` points at.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from common import header_names, problem_details
from kong.plugins.runtime.pdk import Kong


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document without what it says of the request.

    `members` are extension members (RFC 9457 §3.2), `headers` go beside the content type.
    """

    name: str
    status: int
    title: str
    detail: str
    headers: Mapping[str, str] = {}
    members: Mapping[str, Any] = {}

    def body(self, *, instance: str, request_id: str) -> bytes:
        """The JSON document; `instance` is the request's path (RFC 9457 §3.1.5)."""
        return problem_details.document(
            type_=problem_details.type_of(self.name),
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=instance,
            request_id=request_id,
            members=self.members,
        )

    def response_headers(self) -> dict[str, str]:
        """Headers of the answer. It is about this moment, so no cache may keep it."""
        return {"Content-Type": problem_details.MEDIA_TYPE, "Cache-Control": "no-store", **self.headers}


async def answer(kong: Kong, problem: Problem) -> NoReturn:
    """Answers the client with the problem, and so ends the phase."""
    path, correlation, own_id = await kong.gather(
        kong.request.get_path(),
        kong.request.get_header(header_names.REQUEST_ID.lower()),
        kong.nginx.get_var("kong_request_id"),
    )
    body = problem.body(instance=path, request_id=correlation or own_id or "")
    kong.response.exit(problem.status, body, problem.response_headers())
