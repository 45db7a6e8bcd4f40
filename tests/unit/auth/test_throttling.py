"""How long failures make a caller wait, and whom they are counted for."""

import pytest

from services.auth.domain import throttling
from services.auth.domain.throttling import Limit, Limits

LIMIT = Limit(free=3, first=1, ceiling=60, window=900)
LIMITS = Limits(account=LIMIT, address=LIMIT, registrations=LIMIT, guests=LIMIT)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (3, 0), (4, 1), (5, 2), (6, 4), (9, 32), (10, 60), (10**9, 60)]
)
def test_the_wait_doubles_from_the_first_failure_that_is_not_free_up_to_a_ceiling(
    failures: int, seconds: int
) -> None:
    assert LIMIT.wait(failures) == seconds


def test_the_wait_runs_from_the_last_failure_and_is_forgotten_after_the_window() -> None:
    assert LIMIT.left(6, 100.0, 101.0) == 3.0
    assert LIMIT.left(6, 100.0, 104.0) == 0.0
    assert LIMIT.left(10**9, 100.0, 1000.0) == 0.0


def test_a_free_failure_written_down_a_moment_ahead_of_our_clock_is_no_wait() -> None:
    assert LIMIT.left(3, 100.4, 100.0) == 0.0


def test_strangers_failures_do_not_reach_an_address_that_the_owner_uses() -> None:
    stranger = throttling.subjects("a@example.com", "203.0.113.9", LIMITS, familiar=False)
    owner = throttling.subjects("a@example.com", "198.51.100.7", LIMITS, familiar=True)
    assert not {one.key for one in stranger} & {one.key for one in owner}


def test_guesses_at_one_account_from_many_addresses_are_counted_together() -> None:
    first = throttling.subjects("a@example.com", "203.0.113.9", LIMITS, familiar=False)
    second = throttling.subjects("a@example.com", "198.51.100.7", LIMITS, familiar=False)
    assert first[0] == second[0]


def test_guesses_at_many_accounts_from_one_address_are_counted_together() -> None:
    first = throttling.subjects("a@example.com", "203.0.113.9", LIMITS, familiar=False)
    second = throttling.subjects("b@example.com", "203.0.113.9", LIMITS, familiar=False)
    assert first[1] == second[1]


def test_no_key_holds_an_address_in_clear() -> None:
    for familiar in (True, False):
        for subject in throttling.subjects("a@example.com", "203.0.113.9", LIMITS, familiar=familiar):
            assert "example" not in subject.key


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("made up", "unknown"),
    ],
)
def test_one_subscriber_is_one_address(address: str, network: str) -> None:
    assert throttling.network(address) == network
