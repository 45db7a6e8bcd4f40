"""The HTTP/1.1 server: the strict protocol of all parts, with the bounds that others leave to a proxy in front.

There is no proxy in front of this one.
"""

import asyncio
import functools
import logging
import uuid
from typing import Any

import uvicorn

from common.http_server.framing import Refusal
from common.http_server.protocol import StrictProtocol
from frontend_proxy.asgi import ABORT, OVERLOADED, App
from frontend_proxy.cookies import Header
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


class EdgeProtocol(StrictProtocol):
    """The strict protocol of all parts, with a deadline for heads, this site's own answer to what is no request, and a
    mark on requests beyond the number of connections."""

    max_target = MAX_TARGET
    max_head = MAX_HEAD

    _head_timer: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, settings: Settings, metrics: Metrics, **options: Any) -> None:
        super().__init__(*args, **options)
        self._settings = settings
        self._metrics = metrics

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # A reader who stops reading keeps a polite close waiting for ever; the edge needs the impolite one.
        self._extension: dict[object, object] = {
            "abort": transport.abort,
            "waits": lambda: self.flow.write_paused,
        }
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head and not self._refused:  # most heads come whole
            self._expect_head()

    def start_request(self) -> None:
        self._head_arrived()
        self.scope["extensions"] = {ABORT: self._extension}
        if len(self.connections) > self._settings.max_connections:
            self.scope["extensions"][OVERLOADED] = {}
        super().start_request()

    def refusal_answer(self, refusal: Refusal) -> tuple[list[Header], bytes]:
        """There is no scope that the edge could be given for these bytes."""
        self._head_arrived()
        self._metrics.refused("malformed")
        request_id = str(uuid.uuid4())
        log.info("refused: %s", refusal.detail, extra={"request_id": request_id})
        kind = "" if refusal.status == 400 else "request-too-large"
        body = Problem(refusal.status, kind, refusal.detail).body("", request_id)
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            (b"x-request-id", request_id.encode()),
        ]
        return secured(headers, "/api/", production=self._settings.production), body

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_DEADLINE, self._drop)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _drop(self) -> None:
        log.info("connection dropped: the request head is too slow")
        self.transport.abort()


def server(app: App, settings: Settings, metrics: Metrics, **overrides: Any) -> uvicorn.Server:
    """A server for `app`, ready to run."""
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "http": functools.partial(EdgeProtocol, settings=settings, metrics=metrics),
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
