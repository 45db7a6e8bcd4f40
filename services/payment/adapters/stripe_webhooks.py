"""Whether a webhook is from Stripe, and what it may be about (https://docs.stripe.com/webhooks#verify-events).

Judged over the raw bytes, by the official client's own code. Without a secret nothing is believed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import stripe

from services.payment.adapters import stripe_objects
from services.payment.application.events import Event
from services.payment.domain.errors import UnsignedWebhook, WebhooksClosed

NEWS = frozenset(
    (
        "checkout.session.completed",
        "checkout.session.expired",
        "payment_intent.canceled",
        "charge.refunded",
        "refund.failed",
        "refund.updated",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
    )
)
"""The types that the account's webhook endpoint has to send. What else comes is written down and nothing follows: of a
promise `checkout.session.completed` tells too, and of a capture our own call."""
TOLERANCE_S = 300
MOST_HEADER = 1024


class StripeWebhooks:
    """`secrets`: the present one, and while it is rotated the one before."""

    provider = "stripe"

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def event(self, body: bytes, signature: str | None) -> Event:
        """Raises WebhooksClosed, UnsignedWebhook."""
        if not self._secrets:
            raise WebhooksClosed
        # Only ASCII can be compared in constant time, and a signature is hexadecimal.
        if not signature or len(signature) > MOST_HEADER or not signature.isascii():
            raise UnsignedWebhook
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise UnsignedWebhook from None
        if not any(_verifies(text, signature, secret) for secret in self._secrets):
            raise UnsignedWebhook
        try:
            return _event(json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as fault:
            # Signed, and not of a shape that we know: there is nothing in it for us.
            raise UnsignedWebhook from fault


def _verifies(text: str, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(text, signature, secret, TOLERANCE_S))
    except stripe.SignatureVerificationError:
        return False


def _event(sent: Mapping[str, Any]) -> Event:
    order, objects = stripe_objects.named_by(sent)
    type_ = _kept(sent["type"])
    return Event(_kept(sent["id"]), type_, order, tuple(map(_kept, objects)), news=type_ in NEWS)


def _kept(text: object) -> str:
    """As the log of events keeps it. Raises ValueError for what is no text, or no text for PostgreSQL."""
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError("not an id or a type")
    text.encode()  # half of a surrogate pair: UnicodeEncodeError is a ValueError
    return text[:255]
