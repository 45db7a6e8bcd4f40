"""The HTTP/1.1 server: uvicorn's httptools protocol, with the bounds that it leaves to a proxy in front.

There is no proxy in front of this one.
"""

import asyncio
import functools
import logging
import uuid
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from frontend_proxy.asgi import ABORT, OVERLOADED, App
from frontend_proxy.edge.admission import MAX_HEADER_BYTES
from frontend_proxy.edge.paths import MAX_TARGET
from frontend_proxy.edge.security_headers import secured
from frontend_proxy.metrics import Metrics
from frontend_proxy.problems import MEDIA_TYPE, Problem
from frontend_proxy.settings import Settings

MAX_HEAD = MAX_HEADER_BYTES + MAX_TARGET + 1024
"""Bytes of a request line and headers that may arrive before they are complete."""
HEAD_DEADLINE = 10.0
"""Seconds from a request's first byte (or the connection's start) to the end of its headers."""

log = logging.getLogger("frontend_proxy.server")


class BoundedProtocol(HttpToolsProtocol):
    """Drops connections whose request head is too long or too slow, refuses what is not HTTP or not a path with a
    problem, ignores trailer fields, and marks requests beyond the number of connections."""

    _in_head = False
    _head_size = 0
    _head_timer: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, settings: Settings, metrics: Metrics, **options: Any) -> None:
        super().__init__(*args, **options)
        self._settings = settings
        self._metrics = metrics

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                self._drop("the request head is too long")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0
        self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailer fields arrive here too, and would join the headers of a request that was admitted without
        # them.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_arrived()
        if not self.url.startswith(b"/") or b"#" in self.url:
            # An absolute target names a second host, a fragment is never sent: what follows is not a
            # browser's request.
            raise httptools.HttpParserInvalidURLError("not an origin-form target")
        # A reader who stops reading keeps a polite close waiting for ever; the edge needs the impolite one.
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}
        if len(self.connections) > self._settings.max_connections:
            self.scope["extensions"][OVERLOADED] = {}
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers bytes that are not a request; there is no scope that the edge could be given for them."""
        self._head_arrived()
        self._metrics.refused("malformed")
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            # An earlier request's answer is on its way: this one would land in its midst.
            self.transport.abort()
            return
        request_id = str(uuid.uuid4())
        log.info("refused: %s", msg, extra={"request_id": request_id})
        problem = Problem(400, "", "These bytes are not one well-formed HTTP/1.1 request.")
        body = problem.body("", request_id)
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            (b"x-request-id", request_id.encode()),
        ]
        lines = secured(headers, "/api/", production=self._settings.production)
        head = b"".join(b"%s: %s\r\n" % line for line in lines)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + body)
        self.transport.close()

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_DEADLINE, self._drop, "the request head is too slow")

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _drop(self, reason: str) -> None:
        log.info("connection dropped: %s", reason)
        self._in_head = False
        self.transport.abort()


def server(app: App, settings: Settings, metrics: Metrics, **overrides: Any) -> uvicorn.Server:
    """A server for `app`, ready to run."""
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "http": functools.partial(BoundedProtocol, settings=settings, metrics=metrics),
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,  # peers.py reads them, from trusted networks only
        "server_header": False,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": 10,
    }
    return uvicorn.Server(uvicorn.Config(app, **{**options, **overrides}))
