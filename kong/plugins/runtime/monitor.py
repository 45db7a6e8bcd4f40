"""`GET /health` and `GET /metrics` for the machine itself: HTTP/1.1, one request a connection.

Every worker listens on the same socket, so an answer means that at least one worker's event loop turns; the numbers
are those of all workers. Nothing here says anything that a client of the gateway could use, yet it belongs on a
loopback address only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

from kong.plugins.runtime import http_head, metrics

MAX_HEAD = 8192
REQUEST_TIMEOUT = 5.0
"""Seconds from connection to answer."""
METHODS = (b"GET", b"HEAD")


class Monitor(asyncio.Protocol):
    """One connection of whoever watches."""

    def __init__(self, plugin: str, healthy: Callable[[], bool]) -> None:
        self._plugin = plugin
        self._healthy = healthy
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._timeout = asyncio.get_running_loop().call_later(REQUEST_TIMEOUT, self._transport.close)

    def connection_lost(self, error: Exception | None) -> None:
        self._timeout.cancel()

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._received += data
        head, end, _ = self._received.partition(http_head.END)
        if len(head) > MAX_HEAD:
            self._respond(431 if b"\r\n" in head[:MAX_HEAD] else 414)
        elif end or b"\n\n" in head:  # lines without CR are refused at once
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        try:
            request = http_head.read(head)
        except http_head.RefusedRequestError as refused:
            self._respond(refused.status)
            return
        with_body = request.method != b"HEAD"
        if request.path not in (b"/health", b"/metrics"):
            self._respond(404, with_body=with_body)
        elif request.method not in METHODS:
            self._respond(405, headers=f"Allow: {b', '.join(METHODS).decode()}\r\n")
        elif request.path == b"/health":
            status, word = (200, "ok") if self._healthy() else (503, "stopping")
            body = f'{{"status": "{word}", "plugin": "{self._plugin}"}}'
            self._respond(status, "application/json", body, with_body=with_body)
        else:
            body = metrics.exposition({"plugin": self._plugin})
            self._respond(200, "text/plain; version=0.0.4; charset=utf-8", body, with_body=with_body)

    def _respond(
        self,
        status: int,
        content_type: str = "text/plain",
        body: str = "",
        *,
        headers: str = "",
        with_body: bool = True,
    ) -> None:
        raw = body.encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nDate: {formatdate(usegmt=True)}\r\n{headers}"
            f"Content-Type: {content_type}\r\nContent-Length: {len(raw)}\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        self._transport.write(head.encode() + (raw if with_body else b""))
        self._transport.close()
