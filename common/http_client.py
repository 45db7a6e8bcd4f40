"""Calls to other services: one pool, a deadline and a size limit for every call, the request's names passed on. Of
several replicas one that hangs is left out after a few calls (common/address_health.py).

Nothing is retried here: only the caller knows whether repeating is harmless.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec

from common import request_ids
from common.http_exchange import Exchange, ExchangeFailed
from common.http_pool import Pool, Resolver, split, system_addresses
from common.telemetry import spans

MAX_ANSWER_BYTES = 1024 * 1024

Ended = Callable[[str, int | None, float], None]
"""Told of each call: whom it asked, the answer's status (None without one), and the seconds that it took."""


class CallFailed(Exception):  # noqa: N818  # named as the outcome that it is
    """There is no answer: no connection, no answer in time, or one that is too large."""


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes


class HttpClient:
    """`connections` bounds the pool. Open it with `lifespan` before the first call."""

    def __init__(
        self,
        *,
        connections: int = 64,
        resolver: Resolver = system_addresses,
        ended: Ended | None = None,
    ) -> None:
        self._connections = connections
        self._ended = ended
        self._resolver = resolver
        self._pool: Pool | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        pool = self._pool = Pool(connections=self._connections, keepalive=30.0, resolver=self._resolver)
        try:
            yield
        finally:
            self._pool = None
            pool.close()

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
        if self._pool is None:
            raise RuntimeError("the HTTP client is not open")
        ids = request_ids.current.get()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        origin, target = split(url)
        started, status = loop.time(), None
        try:
            with spans.call(method, origin.host, origin.port) as span:
                sent = {**(ids.headers() if ids else {}), **spans.context_of(span), **(headers or {})}
                exchange = await self._pool.request(
                    method, origin, target, sent.items(), body, within=timeout
                )
                answer = Answer(exchange.status, await _content(exchange, deadline))
                status = answer.status
                if span is not None:
                    span.end(answer.status)
                return answer
        except TimeoutError as fault:
            raise CallFailed(f"no answer within {timeout:g} s") from fault
        except (ExchangeFailed, OSError) as fault:
            raise CallFailed(f"{type(fault).__name__}: {fault}") from fault
        finally:
            if self._ended is not None:
                self._ended(origin.authority, status, loop.time() - started)


async def _content(exchange: Exchange, deadline: float) -> bytes:
    if exchange.complete:  # as most answers are by now: they came in one piece
        content = await exchange.read(MAX_ANSWER_BYTES)
    else:
        async with asyncio.timeout_at(deadline):
            content = await exchange.read(MAX_ANSWER_BYTES)
    if content is None:
        raise CallFailed("the answer is too large")
    return content
