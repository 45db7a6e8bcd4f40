"""What the domain refuses.

OrderError
├── UnknownOrder            there is none, or it is not the caller's
├── UnknownItem             the cart has no such line
├── RequestRefused          what was asked for does not fit the order's state
├── NothingToSend           all of the order was given back
├── Stale                   it was changed since it was read
├── EmptyCart               nothing to order
├── NothingToPay            an order of a sum that no card is charged: none, too little, too much, or in between
├── CartFull                more lines than an order may have
├── CartChanged             the cart or its prices are not what the shopper saw; names the new ones
├── CartOrdered             the cart was ordered already; names the order
├── NoMerge                 the token is not a guest's, or the caller is a guest
├── Unconfirmed             the account's address is not confirmed
├── InvalidOrder            wrong values, by field
├── InvalidRefund           the lines or the amount cannot be refunded
├── RefundChanged           it would come to another sum than was shown; names it
└── PaymentUnavailable      payment gave no page in time; worth a repeat
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from common.field_codes import InvalidValue


class OrderError(Exception):
    """A refusal of the order domain. Its text is for people."""


class UnknownOrder(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("There is no such order, or it is not yours.")


class UnknownItem(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("This is not in the cart.")


class RequestRefused(OrderError):  # noqa: N818
    """`state`: what the order is in, which the request does not fit."""

    def __init__(self, state: str) -> None:
        super().__init__(f"The order is {state.replace('_', ' ')}; this cannot be done with it now.")
        self.state = state


class NothingToSend(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("All of the order was given back; nothing of it is to be sent. Cancel it.")


class Stale(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("It was changed since you read it. Read it again and decide anew.")


class EmptyCart(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("There is nothing in the cart.")


class NothingToPay(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("This cart comes to a sum that cannot be paid.")


class CartFull(OrderError):  # noqa: N818
    def __init__(self, most: int) -> None:
        super().__init__(f"A cart has {most} different items at most.")


class CartChanged(OrderError):  # noqa: N818
    """`shown`: the cart as it is now, for whoever decides anew."""

    def __init__(self, shown: Any) -> None:
        super().__init__("The cart, a price or what can be had is not what you saw. Look at it again.")
        self.shown = shown


class CartOrdered(OrderError):  # noqa: N818
    def __init__(self, order: UUID) -> None:
        super().__init__("This cart was ordered already.")
        self.order = order


class NoMerge(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("Only a guest's cart can be merged, into a member's.")


class Unconfirmed(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("Confirm your e-mail address first: then the orders made with it are yours.")


class InvalidOrder(OrderError):  # noqa: N818
    def __init__(self, faults: Mapping[str, InvalidValue]) -> None:
        super().__init__("Some values are not valid.")
        self.faults = dict(faults)


class InvalidRefund(OrderError):  # noqa: N818
    """`refundable`: what can be given back at most."""

    def __init__(self, text: str, refundable: int) -> None:
        super().__init__(text)
        self.refundable = refundable


class RefundChanged(OrderError):  # noqa: N818
    """`amount`: what it would come to now."""

    def __init__(self, amount: int) -> None:
        super().__init__("It would come to another sum by now. Look at it again and decide anew.")
        self.amount = amount


class PaymentUnavailable(OrderError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("The payment page could not be opened in time. Try again in a moment.")
