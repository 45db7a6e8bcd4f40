"""What the runtime itself tells the client when a phase did not decide: RFC 9457 problems, never cached."""

from __future__ import annotations

import json
from dataclasses import dataclass

from kong.plugins.runtime.frames import frame
from kong.plugins.runtime.messages import encode_exit, encode_struct
from kong.plugins.runtime.pdk.calls import call, named

IDENTIFYING = (
    call(frame(b"kong.request.get_path"), b""),
    named(frame(b"kong.request.get_header"), "x-request-id"),
    named(frame(b"kong.nginx.get_var"), "kong_request_id"),
)
"""Tell a problem's `instance` and `request_id`: Kong's correlation id where there is one, else its own."""

_EXIT = frame(b"kong.response.exit")
_HEADERS = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    title: str
    detail: str
    retry_after: int | None = None
    """Seconds."""

    def exit_call(self, instance: str, request_id: str) -> bytes:
        """The call of `kong.response.exit`; the path and the request's id may be empty."""
        problem: dict[str, object] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if instance:
            problem["instance"] = instance
        if request_id:
            problem["request_id"] = request_id
        headers = dict(_HEADERS)
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return call(_EXIT, encode_exit(self.status, json.dumps(problem), encode_struct(headers)))


FAILED = Problem(500, "Internal Server Error", "The gateway could not check this request.")
TOO_SLOW = Problem(503, "Service Unavailable", "Checking this request took too long.", retry_after=1)
TOO_MANY = Problem(
    503, "Service Unavailable", "The gateway is checking too many requests at once.", retry_after=1
)
UNAVAILABLE = Problem(
    503, "Service Unavailable", "The gateway cannot check requests at the moment.", retry_after=1
)
