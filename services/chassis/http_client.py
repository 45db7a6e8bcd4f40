"""Calls to other services: one pool, a deadline and a size limit for every call, the request's names passed on.

Nothing is retried here: only the caller knows whether repeating is harmless.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from services.chassis import request_context

MAX_ANSWER_BYTES = 1024 * 1024


class CallFailed(Exception):  # noqa: N818  # named as the outcome that it is
    """There is no answer: no connection, no answer in time, or one that is too large."""


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """`connections` bounds the pool, per host and in all. Open it with `lifespan` before the first call."""

    def __init__(self, *, connections: int = 64) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=10, keepalive_timeout=30)
        # No cookies, no proxies from the environment: what is sent is what the caller says.
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            self._session = session
            yield
        self._session = None

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
        if self._session is None:
            raise RuntimeError("the HTTP client is not open")
        try:
            async with (
                asyncio.timeout(timeout),
                self._session.request(
                    method, url, data=body, headers={**_names(), **(headers or {})}, allow_redirects=False
                ) as response,
            ):
                content = await response.content.read(MAX_ANSWER_BYTES + 1)
                while not response.content.at_eof() and len(content) <= MAX_ANSWER_BYTES:
                    content += await response.content.read(MAX_ANSWER_BYTES + 1 - len(content))
                if len(content) > MAX_ANSWER_BYTES:
                    raise CallFailed("the answer is too large")
                return Answer(response.status, response.headers, content)
        except TimeoutError as fault:
            raise CallFailed(f"no answer within {timeout:g} s") from fault
        except (aiohttp.ClientError, OSError) as fault:
            raise CallFailed(f"{type(fault).__name__}: {fault}") from fault


def _names() -> dict[str, str]:
    context = request_context.current.get()
    if context is None:
        return {}
    return {"X-Request-Id": context.request_id, "traceparent": context.traceparent}
