"""What the proxy counts, and the port that shows it.

The port is a separate one (FRONTEND_METRICS_PORT), by default on loopback: the main port faces the internet.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server

from common.telemetry import metrics as telemetry
from frontend_proxy.cookies import Tokens
from frontend_proxy.request_context import RequestContext

Refresh = Callable[[str, RequestContext], Awaitable[Tokens | None]]

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""


class Metrics:
    """The proxy's metrics. No label takes a value that a client chooses, so their number stays small."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        telemetry.register(self.registry)
        self._requests = Counter(
            "http_requests_total", "Requests answered.", ("kind", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "From a request's head to the end of its answer.",
            ("kind",),
            buckets=_BOUNDS,
            registry=self.registry,
        )
        self._refusals = Counter(
            "frontend_refusals_total", "Requests refused at the edge.", ("reason",), registry=self.registry
        )
        self._upstream_failures = Counter(
            "frontend_upstream_failures_total",
            "Upstreams that could not be reached, or stayed silent.",
            ("upstream", "reason"),
            registry=self.registry,
        )
        self._unreadable = Counter(
            "frontend_unreadable_forwarded_for_total",
            "Requests whose X-Forwarded-For, written by a trusted proxy, names no address.",
            registry=self.registry,
        )
        self._renewals = Counter(
            "frontend_renewals_total",
            "Sessions renewed at auth, or not.",
            ("outcome",),
            registry=self.registry,
        )

    def answered(self, path: str, status: int, seconds: float) -> None:
        """A response with `status`; 0 where the client disconnected before it."""
        self._requests.labels(kind(path), str(status) if status else "none").inc()
        self._seconds.labels(kind(path)).observe(seconds)

    def refused(self, reason: str) -> None:
        """A request that the edge refused. `reason`: a problem's name, or its status."""
        self._refusals.labels(reason).inc()

    def forwarded_for_unreadable(self) -> None:
        """A trusted proxy named a client that is no address."""
        self._unreadable.inc()

    def upstream_failed(self, upstream: str, reason: Literal["unavailable", "timeout"]) -> None:
        """`upstream` as problems call it."""
        self._upstream_failures.labels(upstream, reason).inc()

    def counting(self, refresh: Refresh) -> Refresh:
        """`refresh`, counted: `renewed`, `over` where auth refuses the token, `failed` where it cannot be asked."""

        async def counted(refresh_token: str, context: RequestContext) -> Tokens | None:
            outcome = "failed"
            try:
                tokens = await refresh(refresh_token, context)
                outcome = "renewed" if tokens else "over"
            finally:
                self._renewals.labels(outcome).inc()
            return tokens

        return counted

    @contextmanager
    def shown(self, host: str, port: int) -> Iterator[None]:
        """Serves `/metrics` at `host`:`port` from a thread of its own; nothing with port 0. OSError where the
        port is taken."""
        if port == 0:
            yield
            return
        server, thread = start_http_server(port, host, self.registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def kind(path: str) -> str:
    """What a decoded path asks for: `static`, `media`, `health`, `session` (auth's calls), `api` or `page`."""
    for prefix, name in (
        ("/static/", "static"),
        ("/media/", "media"),
        ("/health/", "health"),
        ("/api/auth/", "session"),
        ("/api/", "api"),
    ):
        if f"{path}/".startswith(prefix):
            return name
    return "page"
