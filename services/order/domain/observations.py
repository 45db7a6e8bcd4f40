"""What the states that catalog and payment report mean for an order. Pure: the two tables of it."""

from collections.abc import Mapping

from services.order.domain.states import Event

OF_STOCK: Mapping[str, Event] = {
    "held": Event.STOCK_HELD,
    "committed": Event.STOCK_COMMITTED,
    "released": Event.STOCK_RELEASED,
    "sold_out": Event.STOCK_SOLD_OUT,
}
"""By the reservation's state."""

OF_PAYMENT: Mapping[str, Event | None] = {
    "new": None,
    "session_open": None,
    "authorised": Event.PAYMENT_AUTHORISED,
    "capturing": None,
    "captured": Event.PAYMENT_CAPTURED,
    "failed": Event.PAYMENT_FAILED,
    "voiding": None,
    "refunding": None,
    # Payment says these two only of what it was asked to void, so no money can come any more.
    "voided": Event.MONEY_RELEASED,
    "refunded": Event.MONEY_RELEASED,
}
"""By the payment's state; None is news to nobody here."""
