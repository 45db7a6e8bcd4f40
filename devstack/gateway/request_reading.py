"""Reads HTTP/1.x requests as Kong's nginx does, which is more kindly than RFC 9112 asks.

What it lets pass, the stand-in lets pass (nginx 1.25: ngx_http_parse.c, ngx_http_request.c). tests/framing holds both
against one table.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from devstack.gateway.headers import Headers

LARGEST_LINE = 16 * 1024
HEAD_TOO_LARGE = 494
"""nginx' own number for it."""
MOST_LINES = 1000
_REQUEST_LINE = re.compile(rb"([A-Z_-]+) +([^\x00-\x20\x7f]+)(?: +HTTP/([1-9]\d{0,2})\.(\d{1,3}) *)? *")
_ABSOLUTE = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.-]*://((?:[A-Za-z0-9._~-]+|\[[^\[\]/?#@\s]+\])(?::\d*)?)([/?#].*)?"
)
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%00")
_NAME = re.compile(rb"[^\x00-\x20\x7f:]+")
_KNOWN_NAME = re.compile(r"[A-Za-z0-9_-]+")
_NO_HOST = re.compile(r"[\x00-\x20/\x7f]|^:|^\.?\Z|\.\.")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]+)(?:[; \t].*)?", re.DOTALL)
_LARGEST_LENGTH = 2**63 - 1
# A second field of these is 400 (nginx, ngx_http_process_unique_header_line).
_UNIQUE = (
    *("host", "authorization", "content-length", "content-range", "transfer-encoding", "expect"),
    *("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"),
)


class Refused(Exception):  # noqa: N818 - an answer
    """nginx answers with `status` and closes. `target` is empty, `method` GET where the request line was not read."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
        self.method = "GET"
        self.target = ""


@dataclass
class Head:
    """`version` is (0, 9) where the line named none. `length` is None for a chunked body."""

    method: str
    target: str
    version: tuple[int, int]
    headers: Headers
    length: int | None = 0

    @property
    def kept_alive(self) -> bool:
        options = (self.headers.joined("Connection") or "").lower()
        return "close" not in options if self.version >= (1, 1) else "keep-alive" in options


async def head(reader: asyncio.StreamReader) -> Head | None:
    """The next request's head, or None where the client has closed. Raises Refused."""
    line = b""
    while not line.strip(b"\r"):  # empty lines before a request
        raw = await _line(reader, too_long=414)
        if raw is None:
            return None
        line = raw
    line = line.removesuffix(b"\r")
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise Refused(400)
    target, authority = _target(found[2])
    if found[3] is None:
        return Head(found[1].decode(), target, (0, 9), Headers())
    version = (int(found[3]), int(found[4]))
    if version[0] > 1:
        raise Refused(505)
    try:
        headers = await _headers(reader)
        if authority:
            headers.set("Host", authority)
        return Head(found[1].decode(), target, version, headers, _length(version, headers))
    except Refused as refused:
        refused.method, refused.target = found[1].decode(), target
        raise


def _target(raw: bytes) -> tuple[str, str]:
    """Path and query as they are, and the authority of an absolute target."""
    authority = b""
    if not raw.startswith(b"/"):
        found = _ABSOLUTE.fullmatch(raw)
        if found is None or (found[2] or b"").startswith(b"#"):
            raise Refused(400)
        authority, raw = found[1], found[2] or b"/"
    path = re.split(rb"[?#]", raw, maxsplit=1)[0]
    if _BROKEN_ESCAPE.search(path) or _above_the_root(path):
        raise Refused(400)
    target = raw.decode("latin-1")
    return target if target.startswith("/") else "/" + target, authority.decode("latin-1")


def _above_the_root(path: bytes) -> bool:
    depth = 0
    for segment in unquote_to_bytes(path).split(b"/"):
        depth += {b"..": -1, b".": 0, b"": 0}.get(segment, 1)
        if depth < 0:
            return True
    return False


async def _headers(reader: asyncio.StreamReader) -> Headers:
    headers, size = Headers(), 0
    while True:
        line = await _line(reader, too_long=HEAD_TOO_LARGE)
        if line is None:
            raise Refused(400)
        line = line.rstrip(b"\r")
        if not line:
            return headers
        size += len(line)
        if size > 4 * LARGEST_LINE:
            raise Refused(HEAD_TOO_LARGE)
        if b"\r" in line or b"\0" in line:
            raise Refused(400)
        name, _, value = line.partition(b":")
        if not _NAME.fullmatch(name):
            raise Refused(400)
        if _KNOWN_NAME.fullmatch(text := name.decode("latin-1")):  # others are dropped in silence
            headers.add(text, value.strip(b" ").decode("latin-1"))


def _length(version: tuple[int, int], headers: Headers) -> int | None:
    """Raises Refused for what nginx takes for no framing."""
    if any(len(headers.get_all(name)) > 1 for name in _UNIQUE):
        raise Refused(400)
    host = headers.get("Host")
    if version >= (1, 1) if host is None else _NO_HOST.search(host):
        raise Refused(400)
    declared = headers.get("Content-Length")
    length = None if declared is None else _number(declared)
    coding = headers.get("Transfer-Encoding")
    if coding is None:
        return length or 0
    if version < (1, 1):
        raise Refused(400)
    if coding.lower() != "chunked":
        raise Refused(501)
    if declared is not None:
        raise Refused(400)
    return None


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text) or int(text) > _LARGEST_LENGTH:
        raise Refused(400)
    return int(text)


async def body(reader: asyncio.StreamReader, length: int | None, most: int) -> bytes:
    """The whole of it. `most` in bytes, 0 for any. Raises Refused, and IncompleteReadError for one cut short."""
    if length is not None:
        if most and length > most:
            raise Refused(413)
        return await reader.readexactly(length)
    content = bytearray()
    while size := await _chunk_size(reader):
        if most and len(content) + size > most:
            raise Refused(413)
        content += await reader.readexactly(size)
        if (await _line(reader, too_long=400)) not in (b"", b"\r"):
            raise Refused(400)
    for _ in range(MOST_LINES):  # trailer fields, whatever they are
        line = await _line(reader, too_long=400)
        if line in (b"", b"\r", None):
            return bytes(content)
    raise Refused(400)


async def _chunk_size(reader: asyncio.StreamReader) -> int:
    line = (await _line(reader, too_long=400) or b"").removesuffix(b"\r")
    found = _CHUNK_SIZE.fullmatch(line)
    if found is None or b"\r" in line or int(found[1], 16) > _LARGEST_LENGTH:
        raise Refused(400)
    return int(found[1], 16)


async def _line(reader: asyncio.StreamReader, *, too_long: int) -> bytes | None:
    """What stands before the next LF, or None at the end of the connection."""
    try:
        return (await reader.readuntil(b"\n"))[:-1]
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise Refused(too_long) from None
