"""A Redis that tests may kill, and time for whoever waits for PostgreSQL."""

from collections.abc import Iterator

import pytest

from services.chassis.postgres import engine
from tests.stores import own_redis as own
from tests.waiting import WITHIN


@pytest.fixture
def own_redis() -> Iterator[own.OwnRedis]:
    with own.running() as redis:
        yield redis


@pytest.fixture(autouse=True)
def patient_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a connection waits, however busy the machine is: only what is about that gives up."""
    monkeypatch.setattr(engine, "ACQUIRE_TIMEOUT_S", WITHIN)
