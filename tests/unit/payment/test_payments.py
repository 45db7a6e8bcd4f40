"""What a payment is follows from its goal and from what the provider says, in whatever order it says it.

Commerce hazards 12, 16, 17 (late events move nothing back), 18 (money after a cancellation is refunded), 19.
"""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payment.domain.ledger import Movement, entries
from services.payment.domain.payments import MONEY_RELEASED, Goal, Known, Payment, Session, State, Step

ASKED = Known(session=Session.ASKED)
OPEN = Known(session=Session.OPEN)
EXPIRED = Known(session=Session.CLOSED)
AUTHORISED = Known(session=Session.COMPLETE, authorised=1000)
CAPTURED = Known(session=Session.COMPLETE, authorised=1000, captured=1000)
CANCELLED = Known(session=Session.COMPLETE, authorised=1000, cancelled=True)
REFUNDED = Known(session=Session.COMPLETE, authorised=1000, captured=1000, refunded=1000)

KNOWN = st.builds(
    Known,
    session=st.sampled_from(Session),
    authorised=st.sampled_from([0, 1000]),
    captured=st.sampled_from([0, 400, 1000]),
    refunded=st.sampled_from([0, 400]),
    cancelled=st.booleans(),
)


@pytest.mark.parametrize(
    ("goal", "known", "state", "step"),
    [
        (Goal.AUTHORISE, Known(), State.NEW, Step.OPEN_SESSION),
        (Goal.AUTHORISE, ASKED, State.NEW, Step.OPEN_SESSION),
        (Goal.AUTHORISE, OPEN, State.SESSION_OPEN, None),
        (Goal.AUTHORISE, EXPIRED, State.FAILED, None),
        (Goal.AUTHORISE, AUTHORISED, State.AUTHORISED, None),
        (Goal.AUTHORISE, CAPTURED, State.CAPTURED, None),
        (Goal.AUTHORISE, CANCELLED, State.FAILED, None),
        (Goal.CAPTURE, AUTHORISED, State.CAPTURING, Step.CAPTURE),
        (Goal.CAPTURE, CAPTURED, State.CAPTURED, None),
        (Goal.CAPTURE, CANCELLED, State.FAILED, None),
        (Goal.VOID, Known(), State.VOIDED, None),
        # Whether there is a page is not known: it cannot be left to be paid on.
        (Goal.VOID, ASKED, State.VOIDING, Step.CLOSE_SESSION),
        (Goal.VOID, OPEN, State.VOIDING, Step.CLOSE_SESSION),
        (Goal.VOID, EXPIRED, State.VOIDED, None),
        (Goal.VOID, AUTHORISED, State.VOIDING, Step.CANCEL),
        (Goal.VOID, CANCELLED, State.VOIDED, None),
        (Goal.VOID, CAPTURED, State.REFUNDING, Step.REFUND_REST),
        (Goal.VOID, REFUNDED, State.REFUNDED, None),
    ],
)
def test_state_and_next_step(goal: Goal, known: Known, state: State, step: Step | None) -> None:
    payment = Payment(amount=1000, goal=goal, known=known)
    assert (payment.state, payment.step) == (state, step)


def test_a_paid_page_that_looks_open_is_closed_and_then_seen_to_be_paid() -> None:
    payment = Payment(amount=1000, goal=Goal.VOID, known=OPEN)
    assert payment.step is Step.CLOSE_SESSION
    assert payment.observed(AUTHORISED).step is Step.CANCEL


def test_hazard_18_money_that_comes_after_the_void_is_given_back() -> None:
    voided = Payment(amount=1000, goal=Goal.VOID, known=EXPIRED)
    assert voided.state is State.VOIDED
    assert voided.observed(CAPTURED).step is Step.REFUND_REST


def test_a_goal_is_never_taken_back() -> None:
    payment = Payment(amount=1000).wanted(Goal.VOID)
    assert payment.wanted(Goal.AUTHORISE).wanted(Goal.CAPTURE).goal is Goal.VOID


def test_a_refund_has_what_is_left_at_most() -> None:
    known = Known(session=Session.COMPLETE, authorised=1000, captured=1000, refunded=300)
    assert Payment(amount=1000, known=known, pending=200).refundable == 500


def test_the_rest_is_refunded_once_while_a_refund_is_under_way() -> None:
    assert Payment(amount=1000, goal=Goal.VOID, known=CAPTURED, pending=1000).step is None


@given(st.lists(KNOWN, min_size=1, max_size=4), st.sampled_from(Goal))
def test_news_in_any_order_and_repeated_end_the_same(seen: list[Known], goal: Goal) -> None:
    ends = set()
    for order in permutations(seen):
        payment = Payment(amount=1000, goal=goal)
        for known in (*order, *order):
            payment = payment.observed(known)
        ends.add(payment)
    assert len(ends) == 1


@given(st.lists(KNOWN, max_size=5), st.lists(st.sampled_from(Goal), max_size=5))
def test_stock_is_never_given_back_while_collected_money_is_left(
    seen: list[Known], goals: list[Goal]
) -> None:
    payment = Payment(amount=1000)
    for goal in goals:
        payment = payment.wanted(goal)
    for known in seen:
        payment = payment.observed(known)
    if payment.state in MONEY_RELEASED:
        assert payment.known.refunded >= payment.known.captured
        assert payment.goal is Goal.VOID


@pytest.mark.parametrize("movement", list(Movement))
def test_each_movement_sums_to_zero(movement: Movement) -> None:
    debit, credit = entries(movement, 1000)
    assert (debit.amount, credit.amount) == (1000, -1000)
    assert debit.account is not credit.account


@pytest.mark.parametrize("amount", [0, -1])
def test_money_that_does_not_move_is_not_booked(amount: int) -> None:
    with pytest.raises(ValueError, match="above zero"):
        entries(Movement.CAPTURE, amount)
