"""Refusals of the proxy itself, as RFC 9457 problems. What the gateway or auth refuses passes through as it
is."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """An answer that ends the request. `name` is a page in docs/problems; `close` ends the connection too,
    for requests after which the stream of bytes cannot be trusted; `cookies` are `Set-Cookie` headers to send
    along."""

    def __init__(
        self,
        status: int,
        name: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: list[tuple[bytes, bytes]] | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.headers = dict(headers or {})
        self.cookies = cookies or []
        self.close = close

    def body(self, instance: str, request_id: str) -> bytes:
        """The problem document. `instance` is the request's path, without its query."""
        return msgspec.json.encode(
            {
                "type": f"/problems/{self.name}" if self.name else "about:blank",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "instance": instance,
                "request_id": request_id,
            }
        )


def unavailable(upstream: str) -> Problem:
    """502: `upstream` (a part's name, never its address) could not be reached, or cut its answer short."""
    return Problem(
        502, "upstream-unavailable", f"The {upstream} could not be reached.", headers={"Retry-After": "2"}
    )


def timed_out(upstream: str) -> Problem:
    """504: `upstream` stayed silent for longer than UPSTREAM_TIMEOUT."""
    return Problem(
        504, "upstream-timeout", f"The {upstream} did not answer in time.", headers={"Retry-After": "2"}
    )
