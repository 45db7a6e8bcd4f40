"""`GET /health` and `GET /metrics` for the machine itself: HTTP/1.1, one request a connection.

Every worker listens on the same socket, so an answer means that at least one worker's event loop turns; the numbers
are those of all workers. Nothing here says anything that a client of the gateway could use, yet it belongs on a
loopback address only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from kong.plugins.runtime import metrics

MAX_REQUEST = 8192
REQUEST_TIMEOUT = 5.0
"""Seconds from connection to answer."""


class Monitor(asyncio.Protocol):
    """One connection of whoever watches."""

    def __init__(self, plugin: str, healthy: Callable[[], bool]) -> None:
        self._plugin = plugin
        self._healthy = healthy
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._timeout = asyncio.get_running_loop().call_later(REQUEST_TIMEOUT, self._transport.close)

    def connection_lost(self, error: Exception | None) -> None:
        self._timeout.cancel()

    def data_received(self, data: bytes) -> None:
        self._request += data
        if b"\r\n\r\n" in self._request or b"\n\n" in self._request:
            self._answer()
        elif len(self._request) > MAX_REQUEST:
            self._respond(b"431 Request Header Fields Too Large", "text/plain", "")

    def _answer(self) -> None:
        method, _, rest = self._request.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            self._respond(b"405 Method Not Allowed", "text/plain", "")
        elif path == b"/health":
            status, word = (b"200 OK", "ok") if self._healthy() else (b"503 Service Unavailable", "stopping")
            self._respond(status, "application/json", f'{{"status": "{word}", "plugin": "{self._plugin}"}}')
        elif path == b"/metrics":
            text = metrics.exposition({"plugin": self._plugin})
            self._respond(b"200 OK", "text/plain; version=0.0.4; charset=utf-8", text)
        else:
            self._respond(b"404 Not Found", "text/plain", "")

    def _respond(self, status: bytes, content_type: str, body: str) -> None:
        raw = body.encode()
        head = f"\r\nContent-Type: {content_type}\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
        self._transport.write(
            b"HTTP/1.1 " + status + head.encode() + (b"" if self._request.startswith(b"HEAD") else raw)
        )
        self._transport.close()
