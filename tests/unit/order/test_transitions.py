"""The order's table: every pair is decided, and no walk through it breaks a rule of stock and money.

Commerce hazards 9 (hold before money), 11, 12 (facts only, repeats harmless), 16 to 18 (late facts move nothing back).
"""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.order.domain.states import FINAL, REQUESTS, Command, Event, Reason, State
from services.order.domain.transitions import FIRST, IGNORED, REFUSED, Transition, decide

VOID = (Command.VOID_PAYMENT,)
EXPECTED: dict[tuple[State, Event], tuple[State, tuple[Command, ...]]] = {
    (State.PLACED, Event.STOCK_HELD): (State.HELD, ()),
    (State.PLACED, Event.STOCK_SOLD_OUT): (State.SOLD_OUT, (Command.MAIL_CANCELLED,)),
    (State.PLACED, Event.HOLD_EXPIRED): (State.CLOSING, VOID),
    (State.PLACED, Event.CANCEL_REQUESTED): (State.CLOSING, VOID),
    (State.HELD, Event.PAY_REQUESTED): (State.PAYING, ()),
    (State.HELD, Event.HOLD_EXPIRED): (State.CLOSING, VOID),
    (State.HELD, Event.CANCEL_REQUESTED): (State.CLOSING, VOID),
    (State.PAYING, Event.PAY_REQUESTED): (State.PAYING, ()),
    (State.PAYING, Event.PAYMENT_AUTHORISED): (State.AUTHORISED, (Command.COMMIT_STOCK,)),
    (State.PAYING, Event.PAYMENT_CAPTURED): (State.AUTHORISED, (Command.COMMIT_STOCK,)),
    (State.PAYING, Event.PAYMENT_FAILED): (State.CLOSING, VOID),
    (State.PAYING, Event.HOLD_EXPIRED): (State.CLOSING, VOID),
    (State.PAYING, Event.CANCEL_REQUESTED): (State.CLOSING, VOID),
    (State.AUTHORISED, Event.STOCK_COMMITTED): (State.COMMITTED, (Command.CAPTURE_PAYMENT,)),
    (State.AUTHORISED, Event.STOCK_SOLD_OUT): (State.CLOSING, VOID),
    (State.AUTHORISED, Event.STOCK_RELEASED): (State.CLOSING, VOID),
    (State.AUTHORISED, Event.PAYMENT_FAILED): (State.CLOSING, VOID),
    (State.AUTHORISED, Event.CANCEL_REQUESTED): (State.CLOSING, VOID),
    (State.COMMITTED, Event.PAYMENT_CAPTURED): (State.PAID, (Command.MAIL_PAID,)),
    (State.COMMITTED, Event.PAYMENT_FAILED): (State.CLOSING, VOID),
    (State.COMMITTED, Event.CANCEL_REQUESTED): (State.CLOSING, VOID),
    (State.PAID, Event.SHIP_REQUESTED): (State.SHIPPED, (Command.MAIL_SHIPPED,)),
    (State.PAID, Event.CANCEL_REQUESTED): (State.REFUNDING, VOID),
    (State.SHIPPED, Event.DELIVER_REQUESTED): (State.DELIVERED, ()),
    (State.CLOSING, Event.MONEY_RELEASED): (State.RELEASING, (Command.RELEASE_STOCK,)),
    (State.RELEASING, Event.STOCK_RELEASED): (State.CANCELLED, (Command.MAIL_CANCELLED,)),
    (State.REFUNDING, Event.MONEY_RELEASED): (
        State.REFUNDED,
        (Command.RELEASE_STOCK, Command.MAIL_REFUNDED),
    ),
}
"""All that moves. Whatever is not here is a fact that is ignored or a request that is refused."""


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_pair_is_decided_as_the_table_says(state: State, event: Event) -> None:
    decision = decide(state, event, Reason.CANCELLED)
    if (expected := EXPECTED.get((state, event))) is not None:
        assert isinstance(decision, Transition)
        assert (decision.state, decision.commands) == expected
    else:
        assert decision is (REFUSED if event in REQUESTS else IGNORED)


@pytest.mark.parametrize("reason", list(Reason))
def test_an_order_ends_as_it_began_to_close(reason: Reason) -> None:
    decision = decide(State.RELEASING, Event.STOCK_RELEASED, reason)
    assert isinstance(decision, Transition)
    assert decision.state.value == reason.value


def test_a_releasing_order_without_a_reason_is_a_fault() -> None:
    with pytest.raises(ValueError, match="reason"):
        decide(State.RELEASING, Event.STOCK_RELEASED)


@given(st.lists(st.sampled_from(Event), max_size=40))
def test_no_walk_breaks_a_rule_of_stock_and_money(events: list[Event]) -> None:
    state, reason = FIRST.state, None
    commands = list(FIRST.commands)
    for event in events:
        before = state
        decision = decide(state, event, reason)
        if not isinstance(decision, Transition):
            continue
        assert before not in FINAL
        state, reason = decision.state, decision.reason or reason
        commands += decision.commands
        # Stock is held before there is money, and sold before money is collected.
        if Command.CAPTURE_PAYMENT in decision.commands:
            assert event is Event.STOCK_COMMITTED
            assert Command.COMMIT_STOCK in commands
        # Stock comes back only after payment said that no money is left.
        if Command.RELEASE_STOCK in decision.commands:
            assert event is Event.MONEY_RELEASED
            assert Command.VOID_PAYMENT in commands
    # Once money is asked to be void, nothing collects it.
    if Command.VOID_PAYMENT in commands:
        assert Command.CAPTURE_PAYMENT not in commands[commands.index(Command.VOID_PAYMENT) :]
    # Each wish is uttered once.
    assert len(set(commands)) == len(commands)


@given(st.lists(st.sampled_from(Event), max_size=20), st.sampled_from(sorted(set(Event) - REQUESTS, key=str)))
def test_a_repeated_fact_changes_nothing(events: list[Event], fact: Event) -> None:
    state, reason = FIRST.state, None
    for event in (*events, fact):
        decision = decide(state, event, reason)
        if isinstance(decision, Transition):
            state, reason = decision.state, decision.reason or reason
    again = decide(state, fact, reason)
    assert not isinstance(again, Transition) or (fact, again.state) == (Event.PAYMENT_CAPTURED, State.PAID)


def test_the_first_step_asks_for_the_stock() -> None:
    assert Command.HOLD_STOCK in FIRST.commands
