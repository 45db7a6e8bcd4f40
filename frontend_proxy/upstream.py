"""Streamed HTTP requests to auth and to the gateway, with a limit on every wait."""

import time
from collections.abc import AsyncIterator
from typing import NamedTuple

from multidict import CIMultiDict

from common import http_pool
from common.http_exchange import Exchange, ExchangeFailed
from common.http_pool import Resolver, system_addresses
from common.telemetry import spans
from frontend_proxy import problems
from frontend_proxy.metrics import Metrics
from frontend_proxy.problems import Problem
from frontend_proxy.settings import Settings

UPLOAD_DEADLINE = 300.0
"""Seconds for an upstream to take a request body and begin to answer."""

Body = AsyncIterator[bytes] | bytes | None


class Pool:
    """The connections to all upstreams, open inside its context.

    It adds no header but the message's length and follows no redirect.
    """

    def __init__(self, settings: Settings, metrics: Metrics, resolver: Resolver = system_addresses) -> None:
        self._settings = settings
        self.metrics = metrics
        self._resolver = resolver
        self._pool: http_pool.Pool | None = None

    @property
    def timeout(self) -> float:
        """Seconds that each wait for an upstream may take."""
        return self._settings.upstream_timeout

    async def request(
        self, method: str, base: str, target: str, headers: CIMultiDict[str], body: Body
    ) -> Exchange:
        """As `common.http_pool.Pool.request`. Raises RuntimeError outside of the context."""
        if self._pool is None:
            raise RuntimeError("the pool is not open")
        origin, _ = http_pool.split(base)
        started, status = time.monotonic(), None
        try:
            with spans.call(method, origin.host, origin.port) as span:
                headers.update(spans.context_of(span))
                exchange = await self._pool.request(
                    method,
                    origin,
                    target,
                    headers.items(),
                    body,
                    within=self.timeout,
                    upload_within=UPLOAD_DEADLINE,
                )
                status = exchange.status
                if span is not None:
                    span.end(status)
                return exchange
        finally:
            self.metrics.calls.ended(origin.authority, status, time.monotonic() - started)

    async def __aenter__(self) -> "Pool":
        self._pool = http_pool.Pool(
            connections=self._settings.max_connections,
            # Connections are given up before the other end closes idle ones (uvicorn after 5 s).
            keepalive=4.0,
            connect_within=self._settings.connect_timeout,
            resolver=self._resolver,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None


class Upstream(NamedTuple):
    """A part that the proxy talks to. `name` is what problems call it."""

    name: str
    base: str
    pool: Pool

    async def send(self, method: str, target: str, headers: CIMultiDict[str], body: Body = None) -> Exchange:
        """Sends a request; the answer's body is still to be read, or the exchange to be closed.

        `target` is path and query, encoded, passed on byte for byte. Raises Problem: 502 where the upstream
        cannot be reached, 504 where it is silent. What the body's own iteration raises comes through.
        """
        try:
            return await self.pool.request(method, self.base, target, headers, body)
        except TimeoutError as fault:
            raise self.timed_out() from fault
        except (ExchangeFailed, OSError) as fault:
            raise self.unavailable() from fault

    def timed_out(self) -> Problem:
        """504, counted."""
        self.pool.metrics.upstream_failed(self.name, "timeout")
        return problems.timed_out(self.name)

    def unavailable(self) -> Problem:
        """502, counted."""
        self.pool.metrics.upstream_failed(self.name, "unavailable")
        return problems.unavailable(self.name)

    async def read(self, response: Exchange, limit: int) -> bytes:
        """The whole of an answer of at most `limit` bytes. Raises Problem 502 or 504."""
        try:
            body = await response.read(limit, self.pool.timeout)
        except TimeoutError as fault:
            raise self.timed_out() from fault
        except ExchangeFailed as fault:
            raise self.unavailable() from fault
        if body is None:
            raise self.unavailable()
        return body
