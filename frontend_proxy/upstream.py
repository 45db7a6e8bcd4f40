"""Streamed HTTP requests to auth and to the gateway, with a limit on every wait."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp
import aiohttp.client_reqrep
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from common import header_bytes
from common.address_health import AddressHealth, HealthyResolver, WatchedRequest, watched
from common.clean_connections import CleanConnector
from frontend_proxy import problems
from frontend_proxy.metrics import Metrics
from frontend_proxy.problems import Problem
from frontend_proxy.settings import Settings

UPLOAD_DEADLINE = 300.0
"""Seconds for an upstream to take a request body and begin to answer."""

Body = AsyncIterator[bytes] | bytes | None

header_bytes.install(aiohttp.client_reqrep)


class Pool:
    """The connections to all upstreams, open inside its context.

    It adds no header and no cookie, decompresses nothing and follows no redirect.
    """

    def __init__(
        self, settings: Settings, metrics: Metrics, resolver: AbstractResolver | None = None
    ) -> None:
        self._settings = settings
        self.metrics = metrics
        self._resolver = resolver
        self._health = AddressHealth()
        self._connector: aiohttp.TCPConnector | None = None
        self._client: aiohttp.ClientSession | None = None

    @property
    def client(self) -> aiohttp.ClientSession:
        """Raises RuntimeError outside of the context."""
        if self._client is None:
            raise RuntimeError("the pool is not open")
        return self._client

    def watched(self) -> watched:
        """Around one request, so that an address that hangs is left out (common/address_health.py)."""
        if self._connector is None:
            raise RuntimeError("the pool is not open")
        return watched(self._health, self._connector)

    async def __aenter__(self) -> "Pool":
        connector = CleanConnector(
            limit=self._settings.max_connections,
            # Connections are given up before the other end closes idle ones (uvicorn after 5 s).
            keepalive_timeout=4,
            resolver=HealthyResolver(self._health, self._resolver or aiohttp.DefaultResolver()),
        )
        self._connector = connector
        self._client = aiohttp.ClientSession(
            connector=connector,
            request_class=WatchedRequest,
            timeout=aiohttp.ClientTimeout(
                total=None,
                connect=self._settings.upstream_timeout,
                sock_connect=self._settings.connect_timeout,
                sock_read=self._settings.upstream_timeout,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        self._client = None


class Upstream(NamedTuple):
    """A part that the proxy talks to. `name` is what problems call it."""

    name: str
    base: str
    pool: Pool

    async def send(
        self, method: str, target: str, headers: CIMultiDict[str], body: Body = None
    ) -> aiohttp.ClientResponse:
        """Sends a request; the answer's body is still to be read, and the answer to be released.

        `target` is path and query, encoded, passed on byte for byte. Raises Problem: 502 where the upstream
        cannot be reached, 504 where it is silent. What the body's own iteration raises comes through.
        """
        try:
            async with asyncio.timeout(UPLOAD_DEADLINE):
                with self.pool.watched():
                    return await self.pool.client.request(
                        method,
                        URL(self.base + target, encoded=True),
                        headers=headers,
                        data=body,
                        allow_redirects=False,
                    )
        except TimeoutError as fault:
            raise self.timed_out() from fault
        except aiohttp.ClientError as fault:
            if isinstance(fault.__cause__, Problem):
                raise fault.__cause__ from None  # The body's own: this upstream has done nothing wrong.
            raise self.unavailable() from fault

    def timed_out(self) -> Problem:
        """504, counted."""
        self.pool.metrics.upstream_failed(self.name, "timeout")
        return problems.timed_out(self.name)

    def unavailable(self) -> Problem:
        """502, counted."""
        self.pool.metrics.upstream_failed(self.name, "unavailable")
        return problems.unavailable(self.name)

    async def read(self, response: aiohttp.ClientResponse, limit: int) -> bytes:
        """The whole of an answer of at most `limit` bytes. Raises Problem 502 or 504."""
        try:
            body = await response.content.read(limit + 1)
            while len(body) <= limit and not response.content.at_eof():
                body += await response.content.read(limit + 1 - len(body))
        except TimeoutError as fault:
            raise self.timed_out() from fault
        except aiohttp.ClientError as fault:
            raise self.unavailable() from fault
        finally:
            response.release()
        if len(body) > limit:
            raise self.unavailable()
        return body
