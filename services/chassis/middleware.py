"""The outermost layer of every service: names the request, measures it, and writes its one log line.

It wraps the whole app rather than its routes, so that answers for unknown addresses are named and counted as well.
"""

import logging
import time
from collections.abc import Container, Iterable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from common import request_ids
from common.telemetry import tracing
from common.telemetry.metrics import REQUEST_BOUNDS_S
from services.chassis import problems
from services.chassis.audit import AdminAudit
from services.chassis.errors import Unavailable

_log = logging.getLogger("services.access")

# Scraped every few seconds by machines: at INFO they would be most of the log.
_QUIET = frozenset({"/health", "/health/ready", "/metrics"})


_REPLAYED = b"idempotent-replayed"

MAX_CONCURRENT = 512
"""Requests at once, in each replica: beyond it they would only wait for one another."""


class RequestMetrics:
    """Requests by method, route template and status, and their duration in seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route")
        self._count = Counter(
            "http_requests_total", "Requests answered.", (*labels, "status"), registry=registry
        )
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Time from the request's arrival to the end of the answer.",
            labels,
            buckets=REQUEST_BOUNDS_S,
            registry=registry,
        )
        self.in_flight = Gauge(
            "http_requests_in_flight", "Requests that are being answered.", registry=registry
        )
        # Finding them costs twice as much as counting.
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        series = self._series.get((method, route, status))
        if series is None:
            series = self._series[method, route, status] = (
                self._count.labels(method, route, status),
                self._duration.labels(method, route),
            )
        count, duration = series
        count.inc()
        duration.observe(seconds)


Headers = Iterable[tuple[bytes, bytes]]

# nginx judges these itself on an answer that the gateway has buffered: a second time, and against the new ETag. So
# the gateway passes them on under other names (docs/contracts.md, "Through the gateway").
_MOVED_PRECONDITIONS = {
    b"x-if-match": b"if-match",
    b"x-if-unmodified-since": b"if-unmodified-since",
    b"x-if-none-match": b"if-none-match",
    b"x-if-modified-since": b"if-modified-since",
}


def _restore_preconditions(present: Container[bytes], headers: Headers) -> list[tuple[bytes, bytes]]:
    """The headers under their own names; one that is there under its own name already stays as it is."""
    return [
        (_MOVED_PRECONDITIONS[name], value)
        if name in _MOVED_PRECONDITIONS and _MOVED_PRECONDITIONS[name] not in present
        else (name, value)
        for name, value in headers
    ]


class RequestMiddleware:
    """An ASGI wrapper; passes everything but HTTP through untouched."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics, audit: AdminAudit) -> None:
        self._app = app
        self._metrics = metrics
        self._audit = audit
        self._active = 0
        metrics.in_flight.set_function(lambda: self._active)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if _MOVED_PRECONDITIONS.keys() & headers.keys():
            scope["headers"] = _restore_preconditions(headers, scope["headers"])
        ids = request_ids.from_headers(
            [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"],
            [value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"],
        )
        # Machines ask these every few seconds: their traces would be most of all.
        tracer = None if scope["path"] in _QUIET else tracing.tracer()
        if tracer is not None:
            ids = tracer.decided(ids, parent_decides=True)
        span = tracer.begin(ids, scope["method"]) if tracer is not None else None
        token = request_ids.current.set(ids)
        started = time.perf_counter()
        waited = 0.0
        status = 500
        replayed = False
        self._active += 1

        async def send_named(message: Message) -> None:
            nonlocal status, waited, replayed
            if message["type"] == "http.response.start":
                status = message["status"]
                replayed = _REPLAYED in [name.lower() for name, _ in message["headers"]]
                if span is not None:
                    tracing.answering(span, status)
                waited = time.perf_counter() - started
                message["headers"] = [*message["headers"], (b"x-request-id", ids.request_id.encode())]
            await send(message)

        try:
            if self._active > MAX_CONCURRENT:
                await problems.send(
                    Unavailable("Too many requests at once; try again in a moment."), scope, send_named
                )
            else:
                await self._app(scope, receive, send_named)
        finally:
            self._active -= 1
            elapsed = time.perf_counter() - started
            if span is not None:
                tracing.finish(span, scope.get("path_template"), status, waited or elapsed)
            self._report(scope, status, elapsed)
            self._audit.note(scope, status, replayed=replayed)
            request_ids.current.reset(token)

    def _report(self, scope: HTTPScope, status: int, elapsed: float) -> None:
        # The template, never the path: each id would otherwise become a time series of its own.
        route = scope.get("path_template") or "unmatched"
        method = scope["method"] if route != "unmatched" else "any"
        self._metrics.answered(method, route, status, elapsed)
        quiet = scope["path"] in _QUIET and status < 400
        level = logging.WARNING if status >= 500 else logging.DEBUG if quiet else logging.INFO
        if not _log.isEnabledFor(level):
            return
        _log.log(
            level,
            "request",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "duration_ns": round(elapsed * 1e9),
            },
        )
