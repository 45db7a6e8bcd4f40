"""Redis for a service: one bounded client, every wait limited, whether one server, Sentinel or a cluster serves."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import coredis
from coredis import exceptions
from coredis.connection import TCPLocation

from common import redis_address, redis_errors
from common.redis_link import Ended
from common.telemetry import spans, tracing
from common.telemetry.redis_commands import redis_command
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


def _of_a_cluster(error: Exception) -> Problem:
    return _refused(error) or _unavailable(1)


def _unavailable(retry_after: int) -> Problem:
    return Unavailable("The store behind this address cannot answer at the moment.", retry_after=retry_after)


REFUSALS: Refusals = {
    exceptions.ConnectionError: _unreachable,
    TimeoutError: _unreachable,
    # No Sentinel names a master, the one it named is none, no node of a cluster answers.
    exceptions.PrimaryNotFoundError: _unreachable,
    exceptions.StalePrimaryError: _unreachable,
    exceptions.RedisClusterError: _of_a_cluster,
    exceptions.RedisError: _refused,
}
"""For an app that uses Redis: what the client raises when Redis cannot serve is a 503, not a fault of ours."""


Client = coredis.Redis[bytes] | coredis.RedisCluster[bytes]


class Redis:
    """`timeout` (seconds) bounds connecting and each command; `connections` bounds the pool.

    `ended` is told of each command as RedisLink tells it; a pipeline is one. Behind the URL is one server, a Sentinel
    or a cluster. Raises ValueError for a URL that makes no sense (common/redis_address.py).
    """

    def __init__(
        self, url: str, *, connections: int = 16, timeout: float = 1.0, ended: Ended | None = None
    ) -> None:
        address = redis_address.parse(url)
        self.cluster = address.cluster
        self._sentinel: coredis.Sentinel[bytes] | None = None
        self.client: Client
        if address.cluster:
            self.client = coredis.RedisCluster(
                startup_nodes=[TCPLocation(*endpoint) for endpoint in address.endpoints],
                # Nodes change their addresses; the one that was given is looked up anew.
                nodemanager_follow_cluster=False,
                skip_full_coverage_check=True,
                max_connections=connections,
                pool_timeout=timeout,
                username=address.user,
                password=address.password,
                **_limits(address, timeout),
            )
        elif address.sentinel:
            self._sentinel = coredis.Sentinel(
                [TCPLocation(*endpoint) for endpoint in address.endpoints],
                sentinel_kwargs=_limits(address, timeout),
            )
            self.client = self._sentinel.primary_for(
                address.sentinel,
                max_connections=connections,
                timeout=timeout,
                username=address.user,
                password=address.password,
                db=address.database,
                **_limits(address, timeout),
            )
        else:
            self.client = coredis.Redis(
                address.host,
                address.port,
                address.database,
                username=address.user,
                password=address.password,
                max_connections=connections,
                pool_timeout=timeout,
                **_limits(address, timeout),
            )
        if ended is not None or tracing.tracer() is not None:
            _measure(self.client, ended)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as opened:
            if self._sentinel is not None:
                await opened.enter_async_context(self._sentinel)
            await opened.enter_async_context(self.client)
            yield

    async def check(self) -> None:
        """Returns when Redis answers."""
        await self.client.ping()


def _measure(client: Client, ended: Ended | None) -> None:
    """Tells `ended` of each command and of each pipeline, and gives it a span in a sampled request."""
    execute, pipeline = client.execute_command, client.pipeline

    async def executed(command: Any) -> Any:
        with _measured(command.name, ended):
            return await execute(command)

    @asynccontextmanager
    async def piped(transaction: bool | None = None, **options: Any) -> AsyncIterator[Any]:
        make: Callable[..., Any] = pipeline
        async with AsyncExitStack() as opened:
            yield await opened.enter_async_context(make(transaction=transaction, **options))
            # All of it is sent when it ends, in one round trip.
            with _measured("MULTI" if transaction else "PIPELINE", ended):
                await opened.aclose()

    client.execute_command = executed  # type: ignore[method-assign]
    client.pipeline = piped  # type: ignore[method-assign,assignment]


@contextmanager
def _measured(name: bytes | str, ended: Ended | None) -> Iterator[None]:
    within = spans.sampled()
    started, answered = time.perf_counter(), False
    try:
        if within is None:
            yield
        else:
            with redis_command(within, name):
                yield
        answered = True
    except exceptions.NoScriptError:
        answered = True  # the script follows
        raise
    finally:
        if ended is not None:
            ended(answered, time.perf_counter() - started)


def _limits(address: redis_address.RedisAddress, timeout: float) -> dict[str, Any]:
    return {"ssl_context": address.tls, "connect_timeout": timeout, "stream_timeout": timeout}
