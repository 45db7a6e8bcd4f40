"""The domain's refusals and the statuses that they have over HTTP; the one table of it."""

from services.chassis import errors
from services.chassis.problems import Refusals
from services.order.domain.errors import (
    CartChanged,
    CartFull,
    CartOrdered,
    EmptyCart,
    InvalidOrder,
    InvalidRefund,
    NoMerge,
    NothingToPay,
    NothingToSend,
    PaymentUnavailable,
    RefundChanged,
    RequestRefused,
    Stale,
    Unconfirmed,
    UnknownItem,
    UnknownOrder,
)
from services.order.web.schemas import CartView


class KeyRequired(errors.PreconditionRequired):
    type = "/problems/idempotency-key-required"
    title = "Idempotency key required"

    def __init__(self) -> None:
        super().__init__("Send an Idempotency-Key: an order that is sent twice would be two.")


class CartIsNotWhatWasSeen(errors.Conflict):
    type = "/problems/cart-changed"
    title = "The cart is not what was seen"


class CartWasOrdered(errors.Conflict):
    type = "/problems/cart-ordered"
    title = "The cart was ordered already"


class OrderIsElsewhere(errors.Conflict):
    type = "/problems/order-state"
    title = "The order's state does not allow this"


class NothingIsToBeSent(errors.Conflict):
    type = "/problems/nothing-to-send"
    title = "All of the order was given back"


class RefundIsNotWhatWasSeen(errors.Conflict):
    type = "/problems/refund-changed"
    title = "The refund is not what was seen"


def _invalid(error: InvalidOrder) -> errors.Problem:
    return errors.InvalidInput(
        [errors.FieldError.refusing(field, fault) for field, fault in error.faults.items()]
    )


def _changed(error: CartChanged) -> errors.Problem:
    return CartIsNotWhatWasSeen(str(error), cart=CartView.of(error.shown))


def _ordered(error: CartOrdered) -> errors.Problem:
    return CartWasOrdered(str(error), order_id=error.order)


def _refused(error: RequestRefused) -> errors.Problem:
    return OrderIsElsewhere(str(error), state=error.state)


def _refund(error: InvalidRefund) -> errors.Problem:
    return errors.Conflict(str(error), refundable=error.refundable)


def _refund_changed(error: RefundChanged) -> errors.Problem:
    return RefundIsNotWhatWasSeen(str(error), amount=error.amount)


def _payment(error: PaymentUnavailable) -> errors.Problem:
    return errors.Unavailable(str(error))


REFUSALS: Refusals = {
    UnknownOrder: errors.NotFound,
    UnknownItem: errors.NotFound,
    EmptyCart: errors.Conflict,
    CartFull: errors.Conflict,
    NothingToPay: errors.Conflict,
    NothingToSend: NothingIsToBeSent,
    NoMerge: errors.Forbidden,
    Unconfirmed: errors.Forbidden,
    Stale: errors.PreconditionFailed,
    InvalidOrder: _invalid,
    CartChanged: _changed,
    CartOrdered: _ordered,
    RequestRefused: _refused,
    InvalidRefund: _refund,
    RefundChanged: _refund_changed,
    PaymentUnavailable: _payment,
}
