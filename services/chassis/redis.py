"""Redis for a service: one bounded client, every wait limited."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import coredis
from coredis import exceptions

from services.chassis.errors import Problem, Unavailable
from services.chassis.problems import Refusals


def _unavailable(_: Exception) -> Problem:
    return Unavailable("The store behind this address cannot answer at the moment.")


REFUSALS: Refusals = dict.fromkeys(
    (exceptions.ConnectionError, exceptions.ReadOnlyError, TimeoutError), _unavailable
)
"""For an app that uses Redis: what the client raises when Redis cannot serve is a 503, not a fault of ours."""


class Redis:
    """`timeout` (seconds) bounds connecting and each command; `connections` bounds the pool."""

    def __init__(self, url: str, *, connections: int = 16, timeout: float = 1.0) -> None:
        self.client: coredis.Redis[bytes] = coredis.Redis.from_url(
            url,
            max_connections=connections,
            pool_timeout=timeout,
            connect_timeout=timeout,
            stream_timeout=timeout,
        )

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with self.client:
            yield

    async def check(self) -> None:
        """Returns when Redis answers."""
        await self.client.ping()
