"""A Redis that tests may kill."""

from collections.abc import Iterator

import pytest

from tests.stores import own_redis as own


@pytest.fixture
def own_redis() -> Iterator[own.OwnRedis]:
    with own.running() as redis:
        yield redis
