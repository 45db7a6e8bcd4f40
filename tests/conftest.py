"""Real servers for the tests that need them: private, started at first use, on ports of their own.

Every pytest process starts its own, so that parallel workers share nothing.
"""

from __future__ import annotations

import functools
import itertools
import signal
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from httpx._transports import default as httpx_transport
from hypothesis import HealthCheck, settings

from common.redis_link import RedisLink
from devstack import throwaway
from devstack.postgres import Postgres
from tests import redis_topologies
from tests.revocations import mark_whole
from tests.stores import bouncer
from tests.waiting import WITHIN

# What a shell starts in the background ignores these, and so would all that the tests start and then signal.
for _name, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_name) is signal.SIG_IGN:
        signal.signal(_name, _usual)

# Where a test does not say how long it waits for an answer, it waits: httpx would give a busy machine five seconds.
for _wait in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, _wait, WITHIN)

# Every httpx.get reads the machine's certificates anew, which costs more than the whole answer: once does for all.
httpx_transport.create_ssl_context = functools.cache(httpx_transport.create_ssl_context)  # type: ignore[attr-defined]

# How long an example takes says what else the machine does.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--redis",
        choices=("single", *redis_topologies.KINDS),
        default="single",
        help="what stands behind every redis_url (make stores-matrix)",
    )
    parser.addoption(
        "--postgres",
        choices=("straight", *bouncer.KINDS),
        default="straight",
        help="what stands before PostgreSQL (make stores-matrix)",
    )
    parser.addoption(
        "--stack",
        choices=("auto", "docker", "local"),
        default="auto",
        help="what the journeys run on: compose.yaml, devstack, or (auto) Docker where Kong's image is at hand",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports travel between processes as UTF-8; bytes that a test logged and that are none are shown escaped."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


class RedisServer(Protocol):
    def url(self) -> str: ...

    def flush(self) -> None: ...


@pytest.fixture(scope="session")
def redis_server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    kind = request.config.getoption("--redis")
    behind = throwaway.redis() if kind == "single" else redis_topologies.running(kind)
    with behind as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """A real Redis, empty at the start of each test: no key and no script."""
    redis_server.flush()
    return redis_server.url()


@pytest.fixture
async def revocations_url(redis_url: str) -> str:
    """A Redis in which no session has ended, so that services believe the tokens of a test's own auth."""
    async with RedisLink(redis_url, 5.0) as link:
        await mark_whole(link)
    return redis_url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with throwaway.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def new_postgres_database(
    postgres_server: Postgres, request: pytest.FixtureRequest
) -> Iterator[Callable[[], str]]:
    """Makes one more empty database and gives its URL."""
    numbers = itertools.count(1)
    kind = request.config.getoption("--postgres")

    def create() -> str:
        name = f"test_{next(numbers)}"
        postgres_server.ensure_database(name)
        return pooled(postgres_server.url(name))

    with bouncer.in_front(postgres_server, kind) as pooled:
        yield create


@pytest.fixture(scope="module")
def postgres_url(new_postgres_database: Callable[[], str]) -> str:
    """A real PostgreSQL database, empty at the start of each test module."""
    return new_postgres_database()
