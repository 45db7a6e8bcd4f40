"""An answer on its way out: uvicorn's cycle, with head and body in one write where they come together.

Two writes are two packets, which the next hop reads one by one.
"""

from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})


@lru_cache(maxsize=256)
def _sendable(name: bytes) -> bytes:
    """A header's name in lower case. The names of answers are few, so each is looked at once."""
    if HEADER_RE.search(name):
        raise RuntimeError("a header that cannot be sent")
    return name.lower()


class ResponseCycle(RequestResponseCycle):
    """Messages as ASGI has them; RuntimeError for one out of turn, or one that cannot be sent."""

    _head = b""  # waits for the first piece of the body, which may be empty (ASGI, "Response Start")

    async def send(self, message: Any) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            self._start(message)
        elif not self.response_complete:
            self._continue(message)
        else:
            raise RuntimeError("the answer is complete")

    def _start(self, message: Any) -> None:
        if message["type"] != "http.response.start":
            raise RuntimeError("an answer begins with its head")
        self.response_started = True
        self.waiting_for_100_continue = False
        status: int = message["status"]
        lines = [STATUS_LINE[status]]
        closes = False
        headers = [*self.default_headers, *message.get("headers", ())]
        if HEADER_VALUE_RE.search(b"".join([value for _, value in headers])):
            raise RuntimeError("a header that cannot be sent")
        for given, value in headers:
            name = _sendable(given)
            if name in _FRAMING:
                closes = self._framed(name, value) or closes
            lines.append(b"%b: %b\r\n" % (name, value))
        if not self.keep_alive and not closes:
            lines.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in {204, 304}:
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n")
        self._head = b"".join(lines)

    def _framed(self, name: bytes, value: bytes) -> bool:
        """Keeps what a header says of the answer's end. True where it ends the connection too."""
        if name == b"content-length" and self.chunked_encoding is None:
            self.expected_content_length = int(value)
            self.chunked_encoding = False
        elif name == b"transfer-encoding" and value.lower() == b"chunked":
            self.expected_content_length = 0
            self.chunked_encoding = True
        elif name == b"connection" and b"close" in {token.strip() for token in value.lower().split(b",")}:
            self.keep_alive = False
            return True
        return False

    def _continue(self, message: Any) -> None:
        if message["type"] != "http.response.body":
            raise RuntimeError("a head is followed by its body")
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            self._write(b"")
        elif self.chunked_encoding:
            piece = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self._write(piece if more else piece + b"0\r\n\r\n")
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("the body is longer than its Content-Length")
            self._write(body)
        if not more:
            if self.expected_content_length != 0:
                raise RuntimeError("the body is shorter than its Content-Length")
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    def _write(self, data: bytes) -> None:
        head, self._head = self._head, b""
        self.transport.write(head + data if head else data)
