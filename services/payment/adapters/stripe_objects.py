"""Stripe's objects, read as what the application knows of them. Pure."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from services.payment.adapters.stripe_amounts import from_stripe
from services.payment.application.adopting import FoundPage
from services.payment.application.ports import SeenPayment, SeenRefund, SeenSession
from services.payment.application.record import Dispute, Terms
from services.payment.domain.payments import Session
from services.payment.domain.refunds import RefundState

ORDER = "order_id"
ATTEMPT = "attempt"
REFUND = "refund_id"
"""Names of our metadata on Stripe's objects."""

_SESSIONS = {"open": Session.OPEN, "complete": Session.COMPLETE, "expired": Session.CLOSED}
_REFUNDS = {
    "succeeded": RefundState.DONE,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
}
_NO_MONEY_MOVED = {"warning_needs_response", "warning_under_review", "warning_closed"}
"""Inquiries: the bank asks, and the money stays."""

Object = Mapping[str, Any]


def session(found: Object, refunds: Sequence[Object], disputes: Sequence[Object]) -> SeenSession:
    intent = found.get("payment_intent")
    seen = payment(intent, refunds, disputes) if isinstance(intent, Mapping) else None
    return SeenSession(found["id"], _SESSIONS[found["status"]], found.get("url"), seen)


def page(found: Object) -> FoundPage | None:
    """A page with the terms that it was made with; None for one that is not ours."""
    metadata = found.get("metadata") or {}
    order, attempt = _uuid(metadata.get(ORDER)), str(metadata.get(ATTEMPT) or "")
    if order is None or not attempt.isdigit():
        return None
    currency = str(found["currency"]).upper()
    intent = found.get("payment_intent")
    terms = Terms(
        amount=from_stripe(found["amount_total"], currency),
        currency=currency,
        reference=str((intent.get("description") if isinstance(intent, Mapping) else "") or order),
        email=found.get("customer_email"),
        lang=str(found.get("locale") or ""),
        return_url=str(found["success_url"]),
        cancel_url=str(found.get("cancel_url") or ""),
    )
    return FoundPage(found["id"], order, int(attempt), terms)


def payment(intent: Object, refunds: Sequence[Object], disputes: Sequence[Object]) -> SeenPayment:
    currency = str(intent["currency"]).upper()
    status = intent["status"]
    charge = intent.get("latest_charge")
    refunded = charge.get("amount_refunded", 0) if isinstance(charge, Mapping) else 0
    promised = intent["amount"] if status in {"requires_capture", "succeeded"} else 0
    return SeenPayment(
        id=intent["id"],
        order=_uuid((intent.get("metadata") or {}).get(ORDER)),
        authorised=from_stripe(promised, currency),
        captured=from_stripe(intent.get("amount_received") or 0, currency),
        refunded=from_stripe(refunded, currency),
        cancelled=status == "canceled",
        currency=currency,
        refunds=tuple(_refund(each, currency) for each in refunds),
        disputes=tuple(
            Dispute(
                each["id"], from_stripe(each["amount"], currency), each["status"], each["status"] == "won"
            )
            for each in disputes
            if each["status"] not in _NO_MONEY_MOVED
        ),
    )


def named_by(event: Object) -> tuple[UUID | None, list[str]]:
    """What an event may be about: the order that its object names, and the ids of pages and charges."""
    about = event["data"]["object"]
    metadata = about.get("metadata") or {}
    intent = about.get("payment_intent")
    named = (about.get("id"), intent.get("id") if isinstance(intent, Mapping) else intent)
    order = _uuid(metadata.get(ORDER) or about.get("client_reference_id"))
    return order, [each for each in named if isinstance(each, str)]


def _refund(refund: Object, currency: str) -> SeenRefund:
    return SeenRefund(
        id=refund["id"],
        ours=_uuid((refund.get("metadata") or {}).get(REFUND)),
        amount=from_stripe(refund["amount"], currency),
        state=_REFUNDS[refund["status"]],
        reason=refund.get("reason") or "",
    )


def _uuid(text: object) -> UUID | None:
    with suppress(ValueError):
        return UUID(str(text or ""))
    return None
