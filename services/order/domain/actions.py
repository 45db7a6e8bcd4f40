"""What can be done with an order now, by whom. Pure: read off the table, so that no page offers what is refused."""

from services.order.domain.orders import Order
from services.order.domain.states import Event, State
from services.order.domain.transitions import Transition, decide

_OWNERS = {"pay": Event.PAY_REQUESTED, "cancel": Event.CANCEL_REQUESTED}
_ADMINISTRATORS = {
    "cancel": Event.CANCEL_REQUESTED,
    "ship": Event.SHIP_REQUESTED,
    "deliver": Event.DELIVER_REQUESTED,
}

SENT = frozenset((State.SHIPPED, State.DELIVERED))
"""What was said of its shipment can be put right: a wrong number often shows when the parcel should be there."""


def allowed(order: Order, *, owner: bool, admin: bool) -> tuple[str, ...]:
    """Names of the calls, in the order in which they are usually wanted; `refund` is of a part.

    Which units went back is not known here: `ship` is also refused where all did, and some money was kept.
    """
    events = {**(_OWNERS if owner else {}), **(_ADMINISTRATORS if admin else {})}
    names = [
        name
        for name, event in events.items()
        if isinstance(decide(order.state, event, order.reason), Transition)
    ]
    if admin and order.state in SENT:
        names.append("correct_shipment")
    money_left = order.payment.captured > order.payment.refunded + order.payment.refund_pending
    if not money_left and "ship" in names:
        names.remove("ship")
    if admin and money_left:
        names.append("refund")
    return tuple(names)
