"""Redis for a service: one bounded client, every wait limited."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import coredis
from coredis import exceptions

from common import redis_address, redis_errors
from services.chassis.errors import Problem, Unavailable
from services.chassis.problems import Refusals

_log = logging.getLogger(__name__)

# Coredis takes the code off these answers' text.
_CODES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
    (exceptions.TryAgainError, "TRYAGAIN"),
    (exceptions.MovedError, "MOVED"),
    (exceptions.AskError, "ASK"),
    (exceptions.AuthenticationFailureError, "WRONGPASS"),
    (exceptions.AuthenticationRequiredError, "NOAUTH"),
    (exceptions.AuthorizationError, "NOPERM"),
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.ExecAbortError, "EXECABORT"),
    (exceptions.NoScriptError, "NOSCRIPT"),
    (exceptions.BusyLoadingError, "LOADING"),
    (exceptions.UnblockedError, "UNBLOCKED"),
)


def state(fault: Exception) -> redis_errors.State | None:
    """Why Redis does not serve; None where the command itself is wrong."""
    code = next((code for kind, code in _CODES if isinstance(fault, kind)), "")
    return redis_errors.state(f"{code} {fault}".lstrip())


def _unreachable(_: Exception) -> Problem:
    return _unavailable(1)


def _refused(error: Exception) -> Problem | None:
    found = state(error)
    if found is None:
        return None
    # Readiness shows nothing of most of these: such a Redis answers PING.
    _log.log(
        logging.WARNING if found.passes else logging.ERROR, "Redis does not serve", extra={"code": found.code}
    )
    return _unavailable(found.retry_after)


def _unavailable(retry_after: int) -> Problem:
    return Unavailable("The store behind this address cannot answer at the moment.", retry_after=retry_after)


REFUSALS: Refusals = {
    exceptions.ConnectionError: _unreachable,
    TimeoutError: _unreachable,
    exceptions.RedisError: _refused,
}
"""For an app that uses Redis: what the client raises when Redis cannot serve is a 503, not a fault of ours."""


class Redis:
    """`timeout` (seconds) bounds connecting and each command; `connections` bounds the pool.

    Raises ValueError for a URL that makes no sense (common/redis_address.py).
    """

    def __init__(self, url: str, *, connections: int = 16, timeout: float = 1.0) -> None:
        address = redis_address.parse(url)
        self.client: coredis.Redis[bytes] = coredis.Redis(
            address.host,
            address.port,
            address.database,
            username=address.user,
            password=address.password,
            ssl_context=address.tls,
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
