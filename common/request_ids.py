"""The names of the request at hand: its id and its place in a distributed trace (W3C Trace Context).

Set once by whoever meets a request first in a process, read by logs, problems and outbound calls, so that nobody passes
them by hand. The gateway judges ids by the same rule (kong.yml.template).
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from common import header_names

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


class RequestIds(msgspec.Struct, frozen=True):
    """`request_id` is the caller's where it sent a good one; trace and span ids are lower-case hex."""

    request_id: str
    trace_id: str
    span_id: str
    parent_id: str | None
    sampled: bool

    @property
    def traceparent(self) -> str:
        """The header for a call that this request makes (W3C Trace Context §3.2)."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def headers(self) -> dict[str, str]:
        """For a call that this request makes."""
        return {header_names.REQUEST_ID: self.request_id, header_names.TRACEPARENT: self.traceparent}


current: ContextVar[RequestIds | None] = ContextVar("request_ids", default=None)


@contextmanager
def named(ids: RequestIds | None) -> Iterator[None]:
    """What is logged and called inside has these names."""
    token = current.set(ids)
    try:
        yield
    finally:
        current.reset(token)


def from_headers(request_ids: Sequence[str], traceparents: Sequence[str]) -> RequestIds:
    """Takes the caller's names where they are well formed, else makes new ones; each hop is a span of its own.

    The arguments are the headers' lines: one that is sent twice counts as not sent.
    """
    given = request_ids[0] if len(request_ids) == 1 else ""
    trace_id, parent_id, sampled = _parse(traceparents[0] if len(traceparents) == 1 else "")
    chance = os.urandom(40).hex()  # once: a system call each would be as dear as all the rest
    return RequestIds(
        given if _REQUEST_ID.fullmatch(given) else _uuid(chance[:32]),
        trace_id or chance[32:64],
        chance[64:],
        parent_id,
        sampled,
    )


def _uuid(chance: str) -> str:
    """A UUID of version 4 (RFC 9562 §5.4), of 32 hex digits of chance."""
    variant = "89ab"[int(chance[16], 16) & 3]
    return f"{chance[:8]}-{chance[8:12]}-4{chance[13:16]}-{variant}{chance[17:20]}-{chance[20:]}"


def _parse(traceparent: str) -> tuple[str | None, str | None, bool]:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None, None, True
    version, trace_id, parent_id, flags, rest = match.groups()
    # Version ff is forbidden, 00 has nothing after the flags, and all-zero ids are invalid (§3.2.2).
    if version == "ff" or (version == "00" and rest) or not trace_id.strip("0") or not parent_id.strip("0"):
        return None, None, True
    return trace_id, parent_id, bool(int(flags, 16) & 1)
