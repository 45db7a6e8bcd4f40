"""Configurations shared by workers: two views of one log."""

import os
from collections.abc import Iterator

import pytest

from kong.plugins.runtime.shared_configs import SharedConfigs, create


@pytest.fixture
def log() -> Iterator[int]:
    descriptor = create()
    yield descriptor
    os.close(descriptor)


def test_what_one_worker_adds_another_finds(log: int) -> None:
    one, other = SharedConfigs(log), SharedConfigs(log)
    one.add(7, b"seven")
    assert other.find(7) == b"seven"
    assert other.find(8) is None


def test_what_is_removed_is_gone_for_who_has_not_seen_it(log: int) -> None:
    one, other = SharedConfigs(log), SharedConfigs(log)
    one.add(7, b"seven")
    one.remove(7)
    assert other.find(7) is None
    assert other.all() == {}


def test_a_full_log_starts_over_with_what_is_live(log: int) -> None:
    one, other = SharedConfigs(log, limit=4096), SharedConfigs(log, limit=4096)
    other.add(1, b"first")
    for turn in range(2, 300):
        one.add(turn, b"x" * 50)
        if turn > 3:
            one.remove(turn - 1)
    assert other.find(299) == b"x" * 50
    assert other.find(150) is None
    assert other.find(1) == b"first"
    assert os.fstat(log).st_size <= 4096 + 100


def test_where_even_the_live_are_too_many_the_oldest_go(log: int) -> None:
    one, other = SharedConfigs(log, limit=4096), SharedConfigs(log, limit=4096)
    for number in range(200):
        one.add(number, b"x" * 50)
        assert other.find(number) == b"x" * 50
    assert other.all().keys() == one.all().keys()
    assert 199 in other.all()
    assert 0 not in other.all()
