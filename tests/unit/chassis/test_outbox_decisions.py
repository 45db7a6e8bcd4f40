import pytest

from services.chassis.outbox import decisions
from services.chassis.outbox.decisions import MAX_REFUSALS, Fate, decide, delay


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_acknowledged_order_is_delivered(status: int) -> None:
    assert decide(status, 1) is Fate.DELIVERED


@pytest.mark.parametrize("status", [None, 500, 502, 503, 401, 403, 408, 425, 429, 302])
def test_an_outage_or_a_wrong_key_is_retried_for_ever(status: int | None) -> None:
    assert decide(status, 100_000) is Fate.RETRY


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_is_parked_after_a_few_of_them(status: int) -> None:
    assert decide(status, MAX_REFUSALS - 1) is Fate.RETRY
    assert decide(status, MAX_REFUSALS) is Fate.PARK


def test_delays_double_up_to_their_limit_and_never_vanish() -> None:
    longest = [delay(attempt, 1.0).total_seconds() for attempt in range(1, 12)]
    assert longest[0] == decisions.FIRST_DELAY_S
    assert longest[:4] == [0.25, 0.5, 1.0, 2.0]
    assert longest[-1] == decisions.LONGEST_DELAY_S
    assert delay(10_000_000, 1.0).total_seconds() == decisions.LONGEST_DELAY_S
    assert delay(1, 0.0).total_seconds() == decisions.FIRST_DELAY_S / 2
