"""The provider's rules: what may happen to a session, an intent, a refund and a dispute, and what is announced.

Objects are dicts of the shape of Stripe's public API, with the members that the payment service reads.
"""

import time
from collections.abc import Callable
from typing import Any

from sandbox_provider.books import Books, Json

SESSION_SECONDS = 24 * 3600
SHORTEST_SESSION_SECONDS = 30 * 60

Announce = Callable[[str, str], None]


class ApiError(Exception):
    """An error of the API, https://docs.stripe.com/api/errors."""

    def __init__(self, status: int, type_: str, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": type_, "message": message} | ({"code": code} if code else {})


class CardRefused(Exception):  # noqa: N818  # named as the outcome that it is
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Account:
    """`announce` is told each new event, its id and type, inside the transaction at hand."""

    def __init__(
        self, books: Books, url: str, announce: Announce, clock: Callable[[], float] = time.time
    ) -> None:
        self._books = books
        self._url = url
        self._announce = announce
        self._clock = clock

    # ----- Sessions

    def create_session(self, sent: Json) -> Json:
        now = self._clock()
        line = _first(sent, "line_items")
        price = line.get("price_data") or {}
        amount = _whole(price.get("unit_amount"), "line_items[0][price_data][unit_amount]")
        quantity = _whole(line.get("quantity", "1"), "line_items[0][quantity]")
        expires = int(sent.get("expires_at") or now + SESSION_SECONDS)
        if sent.get("mode") != "payment" or not sent.get("success_url"):
            raise _invalid("mode=payment and success_url are needed")
        if not now + SHORTEST_SESSION_SECONDS - 60 <= expires <= now + SESSION_SECONDS + 60:
            raise _invalid("expires_at must be between 30 minutes and 24 hours from now")
        if amount <= 0:
            raise _invalid("unit_amount must be above zero", "amount_too_small")
        email = sent.get("customer_email")
        if email is not None and not str(email).isascii():
            raise _invalid("Invalid email address", "email_invalid")
        intent_data = sent.get("payment_intent_data") or {}
        session = self._books.add(
            "cs_test",
            "checkout.session",
            now,
            {
                "amount_total": amount * quantity,
                "currency": str(price.get("currency", "")).lower(),
                "client_reference_id": sent.get("client_reference_id"),
                "customer_email": email,
                "cancel_url": sent.get("cancel_url"),
                "success_url": sent["success_url"],
                "description": (price.get("product_data") or {}).get("name", ""),
                "expires_at": expires,
                "locale": sent.get("locale") or "auto",
                "metadata": sent.get("metadata") or {},
                "mode": "payment",
                "payment_intent": None,
                "payment_status": "unpaid",
                "status": "open",
                "intent_data": {
                    "capture_method": intent_data.get("capture_method") or "automatic",
                    "metadata": intent_data.get("metadata") or {},
                },
            },
        )
        session["url"] = f"{self._url}/pay/{session['id']}"
        self._books.save(session)
        return session

    def session(self, id_: str) -> Json:
        return self._get("checkout.session", id_)

    def expire_session(self, id_: str) -> Json:
        session = self.session(id_)
        if session["status"] != "open":
            raise _invalid(f"This session is {session['status']}; only open ones can be expired.")
        return self._expire(session)

    def expire_due(self) -> None:
        """Closes the pages whose time is over."""
        for session in self._books.open_until(int(self._clock())):
            self._expire(session)

    def _expire(self, session: Json) -> Json:
        session |= {"status": "expired", "url": None}
        self._books.save(session)
        self._emit("checkout.session.expired", session)
        return session

    # ----- The shopper's side

    def pay(self, id_: str, *, refused: str | None) -> Json:
        """The shopper's card is charged, or `refused` with a decline code. Raises CardRefused, ApiError."""
        session = self.session(id_)
        if session["status"] == "open" and session["expires_at"] <= self._clock():
            self._expire(session)
        if session["status"] != "open":
            raise _invalid(f"This session is {session['status']}.")
        intent = self._intent_of(session)
        if refused is not None:
            intent |= {
                "status": "requires_payment_method",
                "last_payment_error": {
                    "type": "card_error",
                    "code": "card_declined",
                    "decline_code": refused,
                },
            }
            self._books.save(intent)
            self._emit("payment_intent.payment_failed", intent)
            raise CardRefused(refused)
        charge = self._books.add(
            "ch",
            "charge",
            self._clock(),
            {
                "amount": intent["amount"],
                "amount_captured": 0,
                "amount_refunded": 0,
                "currency": intent["currency"],
                "captured": False,
                "disputed": False,
                "metadata": intent["metadata"],
                "payment_intent": intent["id"],
                "refunded": False,
                "status": "succeeded",
            },
            intent["id"],
        )
        intent |= {"latest_charge": charge["id"], "last_payment_error": None}
        if intent["capture_method"] == "manual":
            intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
            self._books.save(intent)
            self._emit("payment_intent.amount_capturable_updated", intent)
        else:
            self._captured(intent, intent["amount"])
            session["payment_status"] = "paid"
        session |= {"status": "complete", "url": None}
        self._books.save(session)
        self._emit("checkout.session.completed", session)
        return session

    def _intent_of(self, session: Json) -> Json:
        if session["payment_intent"] is not None:
            return self.intent(session["payment_intent"])
        intent = self._books.add(
            "pi",
            "payment_intent",
            self._clock(),
            {
                "amount": session["amount_total"],
                "amount_capturable": 0,
                "amount_received": 0,
                "canceled_at": None,
                "cancellation_reason": None,
                "capture_method": session["intent_data"]["capture_method"],
                "currency": session["currency"],
                "last_payment_error": None,
                "latest_charge": None,
                "metadata": session["intent_data"]["metadata"],
                "status": "requires_payment_method",
            },
        )
        session["payment_intent"] = intent["id"]
        self._books.save(session)
        self._emit("payment_intent.created", intent)
        return intent

    # ----- Intents

    def intent(self, id_: str) -> Json:
        return self._get("payment_intent", id_)

    def capture(self, id_: str, sent: Json) -> Json:
        intent = self.intent(id_)
        if intent["status"] != "requires_capture":
            raise _unexpected(intent, "captured")
        amount = _whole(sent.get("amount_to_capture", str(intent["amount"])), "amount_to_capture")
        if not 0 < amount <= intent["amount_capturable"]:
            raise _invalid("amount_to_capture is more than is capturable", "amount_too_large")
        return self._captured(intent, amount)

    def _captured(self, intent: Json, amount: int) -> Json:
        intent |= {"status": "succeeded", "amount_capturable": 0, "amount_received": amount}
        charge = self._get("charge", intent["latest_charge"])
        charge |= {"captured": True, "amount_captured": amount}
        self._books.save(charge)
        self._books.save(intent)
        self._emit("charge.captured", charge)
        self._emit("payment_intent.succeeded", intent)
        return intent

    def cancel(self, id_: str, reason: str = "requested_by_customer") -> Json:
        intent = self.intent(id_)
        if intent["status"] in {"succeeded", "canceled"}:
            raise _unexpected(intent, "canceled")
        intent |= {
            "status": "canceled",
            "amount_capturable": 0,
            "canceled_at": int(self._clock()),
            "cancellation_reason": reason,
        }
        self._books.save(intent)
        self._emit("payment_intent.canceled", intent)
        return intent

    # ----- Refunds and disputes

    def refund(self, sent: Json, *, status: str = "succeeded") -> Json:
        intent = self.intent(str(sent.get("payment_intent", "")))
        if intent["status"] != "succeeded":
            raise _invalid("This payment has not been captured.", "charge_not_refundable")
        charge = self._get("charge", intent["latest_charge"])
        left = charge["amount_captured"] - charge["amount_refunded"]
        if left == 0:
            raise _invalid("The charge has been refunded already.", "charge_already_refunded")
        amount = _whole(sent.get("amount", str(left)), "amount")
        if charge["disputed"] and amount > left - self._disputed(intent["id"]):
            raise _invalid("The charge has been charged back.", "charge_disputed")
        if not 0 < amount <= left:
            raise _invalid(f"The refund is more than the {left} that are left of the charge.")
        refund = self._books.add(
            "re",
            "refund",
            self._clock(),
            {
                "amount": amount,
                "charge": charge["id"],
                "currency": intent["currency"],
                "metadata": sent.get("metadata") or {},
                "payment_intent": intent["id"],
                "reason": sent.get("reason"),
                "status": status,
                "failure_reason": None,
            },
            intent["id"],
        )
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self._books.save(charge)
        self._emit("refund.created", refund)
        self._emit("charge.refunded", charge)
        return refund

    def settle_refund(self, id_: str, status: str) -> Json:
        """A refund that was under way succeeds or fails; failing, its money is the charge's again."""
        refund = self._get("refund", id_)
        if status == "failed" and refund["status"] != "failed":
            charge = self._get("charge", refund["charge"])
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self._books.save(charge)
            refund["failure_reason"] = "expired_or_canceled_card"
        refund["status"] = status
        self._books.save(refund)
        self._emit("refund.failed" if status == "failed" else "refund.updated", refund)
        return refund

    def dispute(self, intent_id: str, amount: int | None) -> Json:
        """The cardholder objects, and the bank takes the money back."""
        intent = self.intent(intent_id)
        charge = self._get("charge", intent["latest_charge"])
        charge["disputed"] = True
        self._books.save(charge)
        dispute = self._books.add(
            "dp",
            "dispute",
            self._clock(),
            {
                "amount": amount or charge["amount_captured"],
                "charge": charge["id"],
                "currency": intent["currency"],
                "metadata": {},
                "payment_intent": intent["id"],
                "reason": "fraudulent",
                "status": "needs_response",
            },
            intent["id"],
        )
        self._emit("charge.dispute.created", dispute)
        return dispute

    def _disputed(self, intent_id: str) -> int:
        """What banks hold of it, or have given back to the cardholder."""
        disputes = self._books.newest(
            "dispute", limit=100, after=None, since=0, until=int(self._clock()), intent=intent_id
        )
        return sum(each["amount"] for each in disputes if each["status"] != "won")

    def close_dispute(self, id_: str, status: str) -> Json:
        dispute = self._get("dispute", id_)
        dispute["status"] = status
        self._books.save(dispute)
        self._emit("charge.dispute.closed", dispute)
        return dispute

    # ----- All of them

    def expanded(self, body: Json, names: list[str]) -> Json:
        """With ids replaced by what they name: `payment_intent`, `payment_intent.latest_charge`, `latest_charge`."""
        for name in sorted(names):
            first, _, rest = name.partition(".")
            kind = {"payment_intent": "payment_intent", "latest_charge": "charge"}.get(first)
            inner = body.get(first)
            if kind is None or inner is None:
                continue
            whole = inner if isinstance(inner, dict) else self._get(kind, inner)
            body = body | {first: self.expanded(whole, [rest]) if rest else whole}
        return body

    def _get(self, kind: str, id_: str) -> Json:
        found = self._books.get(kind, id_)
        if found is None:
            raise ApiError(404, "invalid_request_error", f"No such {kind}: '{id_}'", "resource_missing")
        return found

    def _emit(self, type_: str, about: Json) -> None:
        event = self._books.add(
            "evt", "event", self._clock(), {"api_version": None, "data": {"object": about}, "type": type_}
        )
        self._announce(event["id"], type_)


def _invalid(message: str, code: str | None = None) -> ApiError:
    return ApiError(400, "invalid_request_error", message, code)


def _unexpected(intent: Json, wanted: str) -> ApiError:
    return ApiError(
        400,
        "invalid_request_error",
        f"This PaymentIntent could not be {wanted} because it has a status of {intent['status']}.",
        "payment_intent_unexpected_state",
    )


def _whole(text: Any, name: str) -> int:
    try:
        return int(str(text))
    except ValueError:
        raise _invalid(f"Invalid integer: {name}", "parameter_invalid_integer") from None


def _first(sent: Json, name: str) -> Json:
    lines = sent.get(name)
    if not isinstance(lines, dict) or not isinstance(lines.get("0"), dict) or len(lines) != 1:
        raise _invalid(f"{name} must have exactly one item here")
    return dict(lines["0"])
