"""Each case of a reservation is decided, and none frees or takes stock twice (commerce hazards 4, 7 and 8)."""

from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.errors import InvalidLines
from services.catalog.domain.reservations import (
    MAX_LINES,
    MAX_QUANTITY,
    Effect,
    Goal,
    Line,
    Shortage,
    State,
    combined,
    decide,
    shortages,
)
from services.catalog.domain.stock import Availability, Stock, availability

A, B = UUID(int=1), UUID(int=2)
_ON_HAND = {Effect.SELL: -1, Effect.RESERVE_AND_SELL: -1, Effect.TAKE_BACK: 1}
_RESERVED = {Effect.RESERVE: 1, Effect.SELL: -1, Effect.FREE: -1}


@pytest.mark.parametrize(("present", "goal"), list(product([None, *State], Goal)))
def test_every_case_is_decided_and_a_repeat_changes_nothing(present: State | None, goal: Goal) -> None:
    state, _ = decide(present, goal)
    assert decide(state, goal) == (state, Effect.NONE)


@given(st.lists(st.sampled_from(Goal), max_size=12))
def test_in_any_order_stock_says_what_the_state_says(goals: list[Goal]) -> None:
    state: State | None = None
    on_hand = reserved = 0
    for goal in goals:
        state, effect = decide(state, goal)
        on_hand += _ON_HAND.get(effect, 0)
        reserved += _RESERVED.get(effect, 0)
    assert reserved == (1 if state is State.HELD else 0)
    assert on_hand == (-1 if state is State.COMMITTED else 0)


def test_a_release_that_comes_first_wins_over_the_hold_that_comes_late() -> None:
    state, _ = decide(None, Goal.RELEASED)
    assert decide(state, Goal.HELD) == (State.RELEASED, Effect.NONE)


def test_lines_of_one_variant_are_summed_and_sorted() -> None:
    assert combined([Line(B, 1), Line(A, 2), Line(B, 3)]) == (Line(A, 2), Line(B, 4))


@pytest.mark.parametrize(
    "lines",
    [[], [Line(A, 0)], [Line(A, -1)], [Line(A, MAX_QUANTITY), Line(A, 1)], [Line(A, 1)] * (MAX_LINES + 1)],
)
def test_lines_that_no_order_has_are_refused(lines: list[Line]) -> None:
    with pytest.raises(InvalidLines):
        combined(lines)


def test_what_is_promised_to_others_is_not_there() -> None:
    stock = {A: Stock(on_hand=5, reserved=4)}
    assert shortages([Line(A, 2), Line(B, 1)], stock) == [Shortage(A, 1), Shortage(B, 0)]
    assert shortages([Line(A, 1)], stock) == []


@pytest.mark.parametrize(
    ("available", "said"),
    [
        (-1, Availability.SOLD_OUT),
        (0, Availability.SOLD_OUT),
        (1, Availability.FEW_LEFT),
        (5, Availability.FEW_LEFT),
        (6, Availability.IN_STOCK),
    ],
)
def test_what_a_shopper_is_told(available: int, said: Availability) -> None:
    assert availability(available, 5) is said
