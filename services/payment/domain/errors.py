"""What the domain refuses.

PaymentError
├── UnknownPayment          the order has none
├── OtherTerms              the payment was made for another amount or currency; an order's never change
├── OverRefund              more than was collected and not given back yet
├── OtherRefund             the refund's id was used for another one
├── UnsignedWebhook         not from the provider, or too old to tell
└── WebhooksClosed          no secret is configured, so nothing can be told from a forgery
"""


class PaymentError(Exception):
    """A refusal of the payment domain. Its text is for people."""


class UnknownPayment(PaymentError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("There is no payment for this order.")


class OtherTerms(PaymentError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("This order has a payment of another amount or currency; they never change.")


class OverRefund(PaymentError):  # noqa: N818
    def __init__(self, refundable: int) -> None:
        super().__init__(f"At most {refundable} can be given back of this payment.")
        self.refundable = refundable


class OtherRefund(PaymentError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("This refund was asked for with another amount or for another order.")


class UnsignedWebhook(PaymentError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("The signature is missing, wrong or too old.")


class WebhooksClosed(PaymentError):  # noqa: N818
    def __init__(self) -> None:
        super().__init__("No secret for this provider's webhooks is configured.")
