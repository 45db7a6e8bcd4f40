"""An address that hangs is left out after a few timeouts, for a while, and never the last one."""

from common.address_health import FAILURES, KNOWN, PAUSE, AddressHealth


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def hang(health: AddressHealth, address: str, times: int = FAILURES) -> None:
    for _ in range(times):
        health.failed(address)


def test_a_few_timeouts_in_a_row_leave_an_address_out() -> None:
    health = AddressHealth(Clock())
    hang(health, "10.0.0.1", FAILURES - 1)
    assert health.usable(["10.0.0.1", "10.0.0.2"]) == ["10.0.0.1", "10.0.0.2"]
    assert health.failed("10.0.0.1")
    assert health.usable(["10.0.0.1", "10.0.0.2"]) == ["10.0.0.2"]


def test_an_answer_starts_the_count_anew() -> None:
    health = AddressHealth(Clock())
    hang(health, "10.0.0.1", FAILURES - 1)
    health.answered("10.0.0.1")
    hang(health, "10.0.0.1", FAILURES - 1)
    assert health.usable(["10.0.0.1", "10.0.0.2"]) == ["10.0.0.1", "10.0.0.2"]


def test_it_is_tried_again_and_left_out_by_one_more_timeout() -> None:
    clock = Clock()
    health = AddressHealth(clock)
    hang(health, "10.0.0.1")
    clock.now = PAUSE
    assert health.usable(["10.0.0.1", "10.0.0.2"]) == ["10.0.0.1", "10.0.0.2"]
    health.failed("10.0.0.1")
    assert health.usable(["10.0.0.1", "10.0.0.2"]) == ["10.0.0.2"]


def test_where_all_hang_all_are_tried() -> None:
    health = AddressHealth(Clock())
    hang(health, "10.0.0.1")
    assert health.usable(["10.0.0.1"]) == ["10.0.0.1"]


def test_it_remembers_a_bounded_number_of_addresses() -> None:
    health = AddressHealth(Clock())
    for number in range(2 * KNOWN):
        hang(health, str(number))
    assert len(health._failures) == len(health._left_out) == KNOWN
