import pytest

from services.chassis.outbox import decisions
from services.chassis.outbox.decisions import MAX_REFUSALS, Answer, Fate, answer, decide, delay


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_acknowledged_message_is_delivered(status: int) -> None:
    assert decide(answer(status), 1) is Fate.DELIVERED


@pytest.mark.parametrize("status", [500, 502, 503, 401, 403, 408, 425, 429, 302])
def test_an_outage_or_a_wrong_key_is_retried_for_ever(status: int) -> None:
    assert decide(answer(status), 100_000) is Fate.RETRY


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_becomes_a_dead_letter_after_a_few_of_them(status: int) -> None:
    assert decide(answer(status), MAX_REFUSALS - 1) is Fate.RETRY
    assert decide(answer(status), MAX_REFUSALS) is Fate.DEAD_LETTER


def test_what_nobody_will_ever_take_is_dropped_at_once() -> None:
    assert decide(Answer.HOPELESS, 0) is Fate.DROP


def test_delays_double_up_to_their_limit_and_never_vanish() -> None:
    longest = [delay(attempt, 1.0, 30.0).total_seconds() for attempt in range(1, 12)]
    assert longest[0] == decisions.FIRST_DELAY_S
    assert longest[:4] == [0.25, 0.5, 1.0, 2.0]
    assert longest[-1] == 30.0
    assert delay(10_000_000, 1.0, 600.0).total_seconds() == 600.0
    assert delay(1, 0.0, 30.0).total_seconds() == decisions.FIRST_DELAY_S / 2
