"""What becomes of an order's reservation when the order says what it wants. Pure: the table of all cases.

The order service sends the state that it wants, never a step; messages may be repeated, delayed or overtaken by later
ones. So each case has an answer, and the last word is the one that frees: a reservation that was released stays so
(a late "held" must not take stock for an order that is over), and one that found too little stays sold out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from services.catalog.domain.errors import InvalidLines
from services.catalog.domain.stock import Stock

MAX_LINES = 100
MAX_QUANTITY = 10_000
MAX_ADJUSTMENT = 10**9
"""Of what is on hand, at once."""


class State(Enum):
    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    SOLD_OUT = "sold_out"
    """There was too little; nothing was taken. The order must be placed anew."""


class Goal(Enum):
    """What an order wants of its reservation: promised, sold, or given back."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"


class Effect(Enum):
    """What happens to each line's stock."""

    NONE = "none"
    RESERVE = "reserve"
    SELL = "sell"
    """Of what was reserved: it leaves the warehouse."""
    RESERVE_AND_SELL = "reserve_and_sell"
    """The order's wish to hold was overtaken by its wish to sell."""
    FREE = "free"
    """What was reserved is for anybody again."""
    TAKE_BACK = "take_back"
    """What was sold comes back to the warehouse."""


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` of one variant, one or more."""

    variant: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """Of `variant` an order wants more than the `left` that can be sold."""

    variant: UUID
    left: int


_EFFECTS: Mapping[State | None, Mapping[Goal, tuple[State, Effect]]] = {
    None: {
        Goal.HELD: (State.HELD, Effect.RESERVE),
        Goal.COMMITTED: (State.COMMITTED, Effect.RESERVE_AND_SELL),
        # A tombstone: the "held" that comes after it loses.
        Goal.RELEASED: (State.RELEASED, Effect.NONE),
    },
    State.HELD: {
        Goal.HELD: (State.HELD, Effect.NONE),
        Goal.COMMITTED: (State.COMMITTED, Effect.SELL),
        Goal.RELEASED: (State.RELEASED, Effect.FREE),
    },
    State.COMMITTED: {
        Goal.HELD: (State.COMMITTED, Effect.NONE),
        Goal.COMMITTED: (State.COMMITTED, Effect.NONE),
        Goal.RELEASED: (State.RELEASED, Effect.TAKE_BACK),
    },
    State.RELEASED: dict.fromkeys(Goal, (State.RELEASED, Effect.NONE)),
    State.SOLD_OUT: {
        Goal.HELD: (State.SOLD_OUT, Effect.NONE),
        Goal.COMMITTED: (State.SOLD_OUT, Effect.NONE),
        Goal.RELEASED: (State.RELEASED, Effect.NONE),
    },
}


def decide(present: State | None, goal: Goal) -> tuple[State, Effect]:
    """The state that a reservation in `present` (None: not heard of) gets, and what that does to stock.

    RESERVE and RESERVE_AND_SELL hold only where there is enough (shortages); else the state is SOLD_OUT and stock
    stays as it is.
    """
    return _EFFECTS[present][goal]


def shortages(lines: Iterable[Line], stock: Mapping[UUID, Stock]) -> list[Shortage]:
    """The lines that ask for more than there is. A variant that is not in `stock` has none."""
    short = []
    for line in lines:
        available = stock[line.variant].available if line.variant in stock else 0
        if available < line.quantity:
            short.append(Shortage(line.variant, max(available, 0)))
    return short


def combined(lines: Sequence[Line]) -> tuple[Line, ...]:
    """One line for each variant, their quantities summed, in the order in which all transactions lock stock.

    Raises InvalidLines without lines, with too many, or with a quantity that is not between 1 and MAX_QUANTITY.
    """
    if not 1 <= len(lines) <= MAX_LINES:
        raise InvalidLines(f"An order has 1 to {MAX_LINES} lines.")
    quantities: dict[UUID, int] = {}
    for line in lines:
        if line.quantity < 1:
            raise InvalidLines("A quantity is 1 or more.")
        quantities[line.variant] = quantities.get(line.variant, 0) + line.quantity
    if max(quantities.values()) > MAX_QUANTITY:
        raise InvalidLines(f"A quantity is {MAX_QUANTITY} at most.")
    return tuple(Line(variant, quantities[variant]) for variant in sorted(quantities))
