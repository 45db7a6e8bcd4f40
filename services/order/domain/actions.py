"""What can be done with an order now, by whom. Pure: read off the table, so that no page offers what is refused."""

from services.order.domain.orders import Order
from services.order.domain.states import Event
from services.order.domain.transitions import Transition, decide

_OWNERS = {"pay": Event.PAY_REQUESTED, "cancel": Event.CANCEL_REQUESTED}
_ADMINISTRATORS = {
    "cancel": Event.CANCEL_REQUESTED,
    "ship": Event.SHIP_REQUESTED,
    "deliver": Event.DELIVER_REQUESTED,
}


def allowed(order: Order, *, owner: bool, admin: bool) -> tuple[str, ...]:
    """Names of the calls, in the order in which they are usually wanted; `refund` is of a part."""
    events = {**(_OWNERS if owner else {}), **(_ADMINISTRATORS if admin else {})}
    names = [
        name
        for name, event in events.items()
        if isinstance(decide(order.state, event, order.reason), Transition)
    ]
    if admin and order.payment.captured > order.payment.refunded + order.payment.refund_pending:
        names.append("refund")
    return tuple(names)
