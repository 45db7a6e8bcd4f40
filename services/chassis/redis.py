"""Redis for a service: one bounded client, every wait limited."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import coredis
from coredis import exceptions

from services.chassis.errors import Problem, Unavailable
from services.chassis.problems import Refusals

_log = logging.getLogger(__name__)

# The answer's first word, which coredis leaves in the text; behind what a script (before Redis 7) or a pipeline adds.
_CANNOT_WRITE = re.compile(r"(?:^|: -|caused error: )(OOM|MISCONF|NOREPLICAS|READONLY) ")


def cannot_write(answer: str) -> str | None:
    """The code by which Redis says that it takes no writes: it is full, cannot save, or misses its replicas."""
    found = _CANNOT_WRITE.search(answer)
    return found[1] if found else None


def _unavailable(_: Exception) -> Problem:
    return Unavailable("The store behind this address cannot answer at the moment.")


def _refused(error: exceptions.ResponseError) -> Problem | None:
    code = cannot_write(str(error))
    if code is None:
        return None
    # Readiness shows nothing of it: such a Redis answers PING.
    _log.error("Redis refuses to write", extra={"code": code})
    return _unavailable(error)


REFUSALS: Refusals = {
    exceptions.ConnectionError: _unavailable,
    exceptions.ReadOnlyError: _unavailable,
    TimeoutError: _unavailable,
    exceptions.ResponseError: _refused,
}
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
