"""Calls to other services: one pool, a deadline and a size limit for every call, the request's names passed on. Of
several replicas one that hangs is left out after a few calls (common/address_health.py).

Nothing is retried here: only the caller knows whether repeating is harmless.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver

from common import request_ids
from common.address_health import AddressHealth, HealthyResolver, WatchedRequest, watched
from common.clean_connections import CleanConnector

MAX_ANSWER_BYTES = 1024 * 1024


class CallFailed(Exception):  # noqa: N818  # named as the outcome that it is
    """There is no answer: no connection, no answer in time, or one that is too large."""


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """`connections` bounds the pool, per host and in all. Open it with `lifespan` before the first call."""

    def __init__(self, *, connections: int = 64, resolver: AbstractResolver | None = None) -> None:
        self._connections = connections
        self._resolver = resolver
        self._connector: aiohttp.TCPConnector | None = None
        self._health = AddressHealth()
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        connector = CleanConnector(
            limit=self._connections,
            ttl_dns_cache=10,
            keepalive_timeout=30,
            resolver=HealthyResolver(self._health, self._resolver or aiohttp.DefaultResolver()),
        )
        # No cookies, no proxies from the environment: what is sent is what the caller says.
        async with aiohttp.ClientSession(
            connector=connector,
            request_class=WatchedRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            self._session, self._connector = session, connector
            yield
        self._session = self._connector = None

    async def call(
        self,
        method: str,
        url: str,
        *,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One call, done within `timeout` seconds or not at all. Raises CallFailed; any status is an answer."""
        if self._session is None or self._connector is None:
            raise RuntimeError("the HTTP client is not open")
        ids = request_ids.current.get()
        sent = {**(ids.headers() if ids else {}), **(headers or {})}
        try:
            with watched(self._health, self._connector):
                async with (
                    asyncio.timeout(timeout),
                    self._session.request(
                        method, url, data=body, headers=sent, allow_redirects=False
                    ) as response,
                ):
                    return Answer(response.status, response.headers, await _content(response))
        except TimeoutError as fault:
            raise CallFailed(f"no answer within {timeout:g} s") from fault
        except (aiohttp.ClientError, OSError) as fault:
            raise CallFailed(f"{type(fault).__name__}: {fault}") from fault


async def _content(response: aiohttp.ClientResponse) -> bytes:
    content = await response.content.read(MAX_ANSWER_BYTES + 1)
    while not response.content.at_eof() and len(content) <= MAX_ANSWER_BYTES:
        content += await response.content.read(MAX_ANSWER_BYTES + 1 - len(content))
    if len(content) > MAX_ANSWER_BYTES:
        raise CallFailed("the answer is too large")
    return content
