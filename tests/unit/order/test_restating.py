"""What an order wants of stock and money is known for each of its states, so that it can be said again."""

import pytest

from services.order.application.restating import MONEY, STOCK
from services.order.domain.states import Command, Event, State
from services.order.domain.transitions import Transition, decide


def test_each_state_wants_something_of_stock_and_of_money() -> None:
    assert set(STOCK) == set(MONEY) == set(State)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RELEASING])
@pytest.mark.parametrize("event", Event)
def test_what_is_said_again_is_what_was_said_on_the_way_there(state: State, event: Event) -> None:
    """Each command that leads into a state is that state's wish, or one that it has gone past."""
    decision = decide(state, event)
    if isinstance(decision, Transition):
        for command in decision.commands:
            if command in {Command.COMMIT_STOCK, Command.RELEASE_STOCK}:
                assert STOCK[decision.state] is command
            if command in {Command.AUTHORISE_PAYMENT, Command.CAPTURE_PAYMENT, Command.VOID_PAYMENT}:
                assert MONEY[decision.state] is command
