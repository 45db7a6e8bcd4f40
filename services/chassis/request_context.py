"""The names of the request at hand: its id and its place in a distributed trace (W3C Trace Context).

Set once by the outermost middleware, read by logs, problems and outbound calls, so that nobody passes them by hand.
"""

import re
import secrets
from contextvars import ContextVar
from uuid import uuid4

import msgspec

_REQUEST_ID = re.compile(r"[A-Za-z0-9._#:/+=-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


class RequestContext(msgspec.Struct, frozen=True):
    """`request_id` is the gateway's where it sent one; trace and span ids are lower-case hex."""

    request_id: str
    trace_id: str
    span_id: str
    parent_id: str | None
    sampled: bool

    @property
    def traceparent(self) -> str:
        """The header for a call that this request makes (W3C Trace Context §3.2)."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def from_headers(request_id: str | None, traceparent: str | None) -> RequestContext:
    """Takes the caller's names where they are well formed, else makes new ones; each hop is a span of its own."""
    accepted = request_id if request_id and _REQUEST_ID.fullmatch(request_id) else str(uuid4())
    trace_id, parent_id, sampled = _parse(traceparent or "")
    return RequestContext(
        accepted, trace_id or secrets.token_hex(16), secrets.token_hex(8), parent_id, sampled
    )


def _parse(traceparent: str) -> tuple[str | None, str | None, bool]:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None, None, True
    version, trace_id, parent_id, flags, rest = match.groups()
    # Version ff is forbidden, 00 has nothing after the flags, and all-zero ids are invalid (§3.2.2).
    if version == "ff" or (version == "00" and rest) or not trace_id.strip("0") or not parent_id.strip("0"):
        return None, None, True
    return trace_id, parent_id, bool(int(flags, 16) & 1)
