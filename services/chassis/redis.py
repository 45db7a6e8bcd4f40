"""Redis for a service: one bounded client, every wait limited."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import coredis


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
