"""What becomes of an order: one table of state and event. Pure, and every pair has an answer.

The order's row is the only arbiter between stock and money, and the table keeps their order: stock is held before there
is money, sold before money is collected, and given back only when payment has said that no money is left. No clock
frees anything: a hold that expires closes the order, which asks payment first.

Facts may come late, twice or in another order than they happened; a fact that is not waited for changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.order.domain.states import REQUESTS, Command, Event, Reason, State


@dataclass(frozen=True, slots=True)
class Transition:
    """`commands` go out with the change, in one transaction. `reason` is set where the order begins to close."""

    state: State
    commands: tuple[Command, ...] = ()
    reason: Reason | None = None


class Ignored:
    """A fact that changes nothing: it was known, or something else has been decided since."""


class Refused:
    """A request that does not fit the order's state."""


IGNORED = Ignored()
REFUSED = Refused()
Decision = Transition | Ignored | Refused

FIRST = Transition(State.PLACED, (Command.HOLD_STOCK, Command.MAIL_PLACED))
"""How each order begins."""


def _closing(reason: Reason) -> Transition:
    return Transition(State.CLOSING, (Command.VOID_PAYMENT,), reason)


_EXPIRED = {Event.HOLD_EXPIRED: _closing(Reason.EXPIRED)}
_CANCELLED = {Event.CANCEL_REQUESTED: _closing(Reason.CANCELLED)}
_DECLINED = {Event.PAYMENT_FAILED: _closing(Reason.DECLINED)}

_TABLE: Mapping[State, Mapping[Event, Transition]] = {
    State.PLACED: {
        Event.STOCK_HELD: Transition(State.HELD),
        # Nothing was held, and there is no payment before HELD: nothing to undo.
        Event.STOCK_SOLD_OUT: Transition(State.SOLD_OUT, (Command.MAIL_CANCELLED,)),
        **_EXPIRED,
        **_CANCELLED,
    },
    State.HELD: {
        # Who asks calls payment for the page at once, and asks again where that fails: no message has to.
        Event.PAY_REQUESTED: Transition(State.PAYING),
        **_EXPIRED,
        **_CANCELLED,
    },
    State.PAYING: {
        # The same payment session again, for a second tab or the way back.
        Event.PAY_REQUESTED: Transition(State.PAYING),
        Event.PAYMENT_AUTHORISED: Transition(State.AUTHORISED, (Command.COMMIT_STOCK,)),
        # A provider that collects at once; the order's steps are the same.
        Event.PAYMENT_CAPTURED: Transition(State.AUTHORISED, (Command.COMMIT_STOCK,)),
        **_DECLINED,
        **_EXPIRED,
        **_CANCELLED,
    },
    State.AUTHORISED: {
        Event.STOCK_COMMITTED: Transition(State.COMMITTED, (Command.CAPTURE_PAYMENT,)),
        # The hold is gone although nobody here gave it back: no goods, no money.
        Event.STOCK_SOLD_OUT: _closing(Reason.SOLD_OUT),
        Event.STOCK_RELEASED: _closing(Reason.SOLD_OUT),
        **_DECLINED,
        **_CANCELLED,
    },
    State.COMMITTED: {
        Event.PAYMENT_CAPTURED: Transition(State.PAID, (Command.MAIL_PAID,)),
        **_DECLINED,
        **_CANCELLED,
    },
    State.PAID: {
        Event.SHIP_REQUESTED: Transition(State.SHIPPED, (Command.MAIL_SHIPPED,)),
        Event.CANCEL_REQUESTED: Transition(State.REFUNDING, (Command.VOID_PAYMENT,), Reason.CANCELLED),
    },
    State.SHIPPED: {Event.DELIVER_REQUESTED: Transition(State.DELIVERED)},
    State.DELIVERED: {},
    State.CLOSING: {Event.MONEY_RELEASED: Transition(State.RELEASING, (Command.RELEASE_STOCK,))},
    State.RELEASING: {},  # by the reason: see `decide`
    State.REFUNDING: {
        Event.MONEY_RELEASED: Transition(State.REFUNDED, (Command.RELEASE_STOCK, Command.MAIL_REFUNDED))
    },
    State.EXPIRED: {},
    State.CANCELLED: {},
    State.DECLINED: {},
    State.SOLD_OUT: {},
    State.REFUNDED: {},
}


def decide(state: State, event: Event, reason: Reason | None = None) -> Decision:
    """What `event` makes of an order in `state`. `reason` is why it closes, once it does.

    Raises ValueError for a releasing order without a reason, which none has.
    """
    if state is State.RELEASING and event is Event.STOCK_RELEASED:
        if reason is None:
            raise ValueError("a releasing order has a reason")
        return Transition(reason.end, (Command.MAIL_CANCELLED,))
    if (transition := _TABLE[state].get(event)) is not None:
        return transition
    return REFUSED if event in REQUESTS else IGNORED
