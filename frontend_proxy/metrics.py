"""What the proxy counts, and the port that shows it.

The port is a separate one (FRONTEND_METRICS_PORT), by default on loopback: the main port faces the internet.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import Counter, Gauge, start_http_server

from common.telemetry.calls import OutgoingCalls
from common.telemetry.durations import Durations, Named
from common.telemetry.loop_lag import LoopLag
from common.telemetry.metrics import REQUEST_BOUNDS_S, new_registry
from frontend_proxy.cookies import Tokens
from frontend_proxy.request_context import RequestContext

Refresh = Callable[[str, RequestContext], Awaitable[Tokens | None]]

_JOURNEYS = {
    "sign_in": re.compile(r"/(?:sign-in|register|sign-out|password|email|api/auth)(?:/|$)"),
    "browse": re.compile(r"/$|/(?:products|categories|api/products|api/categories|api/storefront)(?:/|$)"),
    "checkout": re.compile(r"/(?:cart|checkout|orders|api/cart|api/checkout|api/orders)(?:/|$)"),
}
"""What people are promised something about (deploy/observability/objectives.toml), by path."""
_PROMISED = (
    ("page", "sign_in"),
    ("session", "sign_in"),
    ("page", "browse"),
    ("api", "browse"),
    ("page", "checkout"),
    ("api", "checkout"),
)
"""Kinds and journeys of which an objective counts the failures."""
_FAILURES = ("500", "502", "503", "504")


class Metrics:
    """The proxy's metrics. No label takes a value that a client chooses, so their number stays small."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self.loop_lag = LoopLag(self.registry)
        self.calls = OutgoingCalls(self.registry)
        self._in_flight = 0
        Gauge(
            "http_requests_in_flight", "Requests that are being answered.", registry=self.registry
        ).set_function(lambda: self._in_flight)
        self._requests = Durations(
            self.registry,
            Named("http_requests", "Requests answered."),
            Named(
                "http_request_duration_seconds", "Time from the request's arrival to the end of the answer."
            ),
            ("kind", "journey", "status"),
            timed=2,
            bounds=REQUEST_BOUNDS_S,
        )
        # A rate begins at a series' first sample: without these the first failures would count for nothing.
        for promised in _PROMISED:
            for status in _FAILURES:
                self._requests.begin(*promised, status)
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

    def arrived(self) -> None:
        """A request; `answered` follows, whatever becomes of it."""
        self._in_flight += 1

    def answered(self, asked_for: str, path: str, status: int, seconds: float) -> None:
        """A response with `status`; 0 where the client disconnected before it. `asked_for`: the path's `kind`."""
        self._in_flight -= 1
        self._requests.observe((asked_for, journey(path), str(status) if status else "none"), seconds)

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
    closed = f"{path}/"
    for prefix, name in (
        ("/static/", "static"),
        ("/media/", "media"),
        ("/health/", "health"),
        ("/api/auth/", "session"),
        ("/api/", "api"),
    ):
        if closed.startswith(prefix):
            return name
    return "page"


def journey(path: str) -> str:
    """What a decoded path is part of: `sign_in`, `browse`, `checkout` or `other`."""
    for name, paths in _JOURNEYS.items():
        if paths.match(path):
            return name
    return "other"
