"""Real servers for the tests that need them: private, started at first use, on ports of their own.

Every pytest process starts its own, so that parallel workers share nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator

import pytest

from common.redis_link import RedisLink
from devstack import throwaway
from devstack.postgres import Postgres
from devstack.redis import Redis
from tests.revocations import mark_whole


def pytest_addoption(parser: pytest.Parser) -> None:
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


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    with throwaway.redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
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
def new_postgres_database(postgres_server: Postgres) -> Callable[[], str]:
    """Makes one more empty database and gives its URL."""
    numbers = itertools.count(1)

    def create() -> str:
        name = f"test_{next(numbers)}"
        postgres_server.ensure_database(name)
        return postgres_server.url(name)

    return create


@pytest.fixture(scope="module")
def postgres_url(new_postgres_database: Callable[[], str]) -> str:
    """A real PostgreSQL database, empty at the start of each test module."""
    return new_postgres_database()
