"""Answers that a plugin gives by itself: RFC 9457 problem documents.

Every `name` has a page in docs/problems/, which `type` points at.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from common import header_names
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
        return msgspec.json.encode(
            {
                "type": f"/problems/{self.name}",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "instance": _printable(instance),
                "request_id": _printable(request_id),
                **self.members,
            }
        )

    def response_headers(self) -> dict[str, str]:
        """Headers of the answer. It is about this moment, so no cache may keep it."""
        return {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **self.headers}


async def answer(kong: Kong, problem: Problem) -> NoReturn:
    """Answers the client with the problem, and so ends the phase."""
    path, correlation, own_id = await kong.gather(
        kong.request.get_path(),
        kong.request.get_header(header_names.REQUEST_ID.lower()),
        kong.nginx.get_var("kong_request_id"),
    )
    body = problem.body(instance=path, request_id=correlation or own_id or "")
    kong.response.exit(problem.status, body, problem.response_headers())


def _printable(text: str) -> str:
    """What a client sent, cut short and without bytes that JSON cannot carry."""
    return text[:2048].encode("utf-8", "replace").decode()
