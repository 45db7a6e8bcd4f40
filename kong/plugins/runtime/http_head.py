"""Reads the head of an HTTP/1.1 request, strictly: what has two readings is refused (RFC 9112). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

END = b"\r\n\r\n"

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(%s) ([!-~]+) HTTP/([0-9])\.([0-9])" % _TOKEN)
_FIELD = re.compile(rb"(%s):[ \t]*([\t -~\x80-\xff]*)" % _TOKEN)
_ABSOLUTE = re.compile(rb"https?://[^/?]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """`path` has no query."""

    method: bytes
    path: bytes


class RefusedRequestError(Exception):
    """A head that is not to be served, with the status that says so."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def read(head: bytes) -> Request:
    """The request of `head`, which ends before END. Raises RefusedRequestError."""
    line, *fields = head.split(b"\r\n")
    parts = _REQUEST_LINE.fullmatch(line)
    if parts is None:
        raise RefusedRequestError(400)
    method, target, major, minor = parts.groups()
    if major != b"1" or minor not in (b"0", b"1"):
        raise RefusedRequestError(505)
    _check_framing(minor, [_field(field) for field in fields])
    path = _ABSOLUTE.sub(b"", target, count=1).partition(b"?")[0]
    if not path.startswith(b"/"):
        raise RefusedRequestError(400)
    return Request(method, path)


def _field(line: bytes) -> tuple[bytes, bytes]:
    """Name in lower case, and value. A bare CR or LF, a folded line and a space before the colon are refused."""
    field = _FIELD.fullmatch(line)
    if field is None:
        raise RefusedRequestError(400)
    return field[1].lower(), field[2].rstrip(b" \t")


def _check_framing(minor: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    """One host, and one way to say where the body ends; nobody reads it, as the connection ends with the answer."""
    hosts, lengths, codings = (
        [value for name, value in fields if name == wanted]
        for wanted in (b"host", b"content-length", b"transfer-encoding")
    )
    if len(hosts) > 1 or (minor == b"1" and not hosts):
        raise RefusedRequestError(400)
    if len(lengths) > 1 or not all(re.fullmatch(rb"[0-9]{1,18}", length) for length in lengths):
        raise RefusedRequestError(400)
    if codings and (lengths or minor == b"0" or [one.lower() for one in codings] != [b"chunked"]):
        raise RefusedRequestError(400)
