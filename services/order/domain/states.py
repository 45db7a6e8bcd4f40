"""The states of an order, and what can happen to one."""

from enum import Enum


class State(Enum):
    PLACED = "placed"
    """The order exists; catalog was asked to hold its stock."""
    HELD = "held"
    """The stock is promised to it, so that it may be paid."""
    PAYING = "paying"
    """The shopper was sent to the payment provider."""
    AUTHORISED = "authorised"
    """The money is promised; catalog was asked to take the stock out."""
    COMMITTED = "committed"
    """The stock is sold; payment was asked to collect the money."""
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CLOSING = "closing"
    """It will not be: payment was asked to void whatever money there is, and its answer is waited for."""
    RELEASING = "releasing"
    """No money is left in it; catalog was asked to give the stock back."""
    REFUNDING = "refunding"
    """It was paid and will not be shipped: payment was asked to give everything back."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    SOLD_OUT = "sold_out"
    REFUNDED = "refunded"


FINAL = frozenset(
    (State.DELIVERED, State.EXPIRED, State.CANCELLED, State.DECLINED, State.SOLD_OUT, State.REFUNDED)
)
"""Nothing happens to an order in these any more, but a refund of what was delivered."""


UNPAID = frozenset((State.PLACED, State.HELD, State.PAYING, State.AUTHORISED, State.COMMITTED))
"""On the way to `paid`: nothing of such an order was ever given back."""


class Reason(Enum):
    """Why an order closes; also the state that it ends in."""

    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    SOLD_OUT = "sold_out"

    @property
    def end(self) -> State:
        return State(self.value)


class Event(Enum):
    """What happens to an order: facts that others report, a timer that asks, and what people ask for."""

    STOCK_HELD = "stock_held"
    STOCK_SOLD_OUT = "stock_sold_out"
    STOCK_COMMITTED = "stock_committed"
    STOCK_RELEASED = "stock_released"

    PAYMENT_AUTHORISED = "payment_authorised"
    PAYMENT_CAPTURED = "payment_captured"
    PAYMENT_FAILED = "payment_failed"
    MONEY_RELEASED = "money_released"
    """The payment is voided, or refunded whole, or there never was any money and never will be."""

    HOLD_EXPIRED = "hold_expired"
    """Nobody paid in time. It frees nothing by itself: payment is asked first."""

    PAY_REQUESTED = "pay_requested"
    CANCEL_REQUESTED = "cancel_requested"
    SHIP_REQUESTED = "ship_requested"
    DELIVER_REQUESTED = "deliver_requested"


REQUESTS = frozenset(
    (Event.PAY_REQUESTED, Event.CANCEL_REQUESTED, Event.SHIP_REQUESTED, Event.DELIVER_REQUESTED)
)
"""Somebody waits for an answer to these, so that one that does not fit is refused; a fact that does not is ignored."""


class Command(Enum):
    """What others are asked to bring about: the state of stock and of money that the order wants, and mails."""

    HOLD_STOCK = "hold_stock"
    COMMIT_STOCK = "commit_stock"
    RELEASE_STOCK = "release_stock"
    AUTHORISE_PAYMENT = "authorise_payment"
    """Said again after a restore alone: who wants to pay asks payment for the page at once."""
    CAPTURE_PAYMENT = "capture_payment"
    VOID_PAYMENT = "void_payment"
    """Also of money that was collected: then all of it is given back."""
    MAIL_PLACED = "mail_placed"
    MAIL_PAID = "mail_paid"
    MAIL_SHIPPED = "mail_shipped"
    MAIL_CANCELLED = "mail_cancelled"
    MAIL_REFUNDED = "mail_refunded"
