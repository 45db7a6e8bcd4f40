"""Stripe, by its official client: hosted Checkout with manual capture (https://docs.stripe.com/payments/place-a-hold-on-a-payment-method).

No card number and no script of Stripe's passes through the shop. The client repeats nothing by itself: keys and repeats
are the application's (domain/calls.py). Its requests are raw ones: objects for all parts of an answer, which we would
turn into plain data at once, are a fifth of what a call costs.
"""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import aiohttp
import stripe

from common.email_address import on_the_wire
from common.telemetry import spans
from common.telemetry.spans import Kind
from services.payment.adapters import stripe_objects
from services.payment.adapters.stripe_amounts import CannotBeCharged, to_stripe
from services.payment.adapters.stripe_objects import ATTEMPT, ORDER, REFUND
from services.payment.application.adopting import FoundPage
from services.payment.application.ports import (
    ProviderUnavailable,
    Refused,
    SeenPayment,
    SeenSession,
    ServerError,
    SessionRequest,
    UnknownOutcome,
)

API = "https://api.stripe.com"
VERSION = "2025-09-30.clover"
TIMEOUT_S = 8.0
CONNECTIONS = 16
PAGE = 100
SESSIONS, INTENTS, REFUNDS, DISPUTES = (
    "checkout.sessions",
    "payment_intents",
    "refunds",
    "disputes",
)


class StripeProvider:
    """`base` is another address of the API, for the sandbox. Open it with `lifespan` before the first call."""

    name = "stripe"

    def __init__(self, secret_key: str, *, base: str = API, timeout: float = TIMEOUT_S) -> None:
        self._secret_key = secret_key
        self._base = base
        self._timeout = timeout
        self._client: Any = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        stripe.enable_telemetry = False
        # It tells of every call twice, and of refused ones with what was sent, which may be personal.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, ttl_dns_cache=10),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        ) as session:
            self._client = stripe.StripeClient(
                self._secret_key,
                stripe_version=VERSION,
                base_addresses={"api": self._base},
                max_network_retries=0,
                http_client=stripe.AIOHTTPClient(
                    timeout=aiohttp.ClientTimeout(total=self._timeout), session=session
                ),
            )
            yield
        self._client = None

    async def create_session(self, request: SessionRequest, key: str) -> SeenSession:
        try:
            amount = to_stripe(request.amount, request.currency)
        except CannotBeCharged as fault:
            raise Refused("cannot_be_charged") from fault
        metadata = {ORDER: str(request.order), ATTEMPT: str(request.attempt)}
        sent: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": str(request.order),
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.currency.lower(),
                        "unit_amount": amount,
                        "product_data": {"name": request.reference},
                    },
                }
            ],
            "locale": request.lang,
            "success_url": request.return_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
            "metadata": metadata,
            "payment_method_types": ["card"],
            "payment_intent_data": {
                "capture_method": "manual",
                "description": request.reference,
                "metadata": metadata,
            },
        }
        if (email := _prefilled(request.email)) is not None:
            sent["customer_email"] = email
        made = await self._call(f"{SESSIONS}.create", "post", _path(SESSIONS), sent, key)
        return stripe_objects.session(made, (), ())

    async def find_session(self, order: UUID, attempt: int, since: datetime) -> SeenSession | None:
        asked = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        async for session in self._listed(SESSIONS, asked):
            metadata = session.get("metadata") or {}
            if (metadata.get(ORDER), metadata.get(ATTEMPT)) == (str(order), str(attempt)):
                return await self.get_session(session["id"])
        return None

    async def pages(self, since: datetime) -> AsyncIterator[FoundPage]:
        asked = {
            "created": {"gte": int(since.timestamp())},
            "expand": ["data.payment_intent"],
            "limit": PAGE,
        }
        async for session in self._listed(SESSIONS, asked):
            if (page := stripe_objects.page(session)) is not None:
                yield page

    async def get_session(self, id_: str) -> SeenSession:
        expanded = {"expand": ["payment_intent.latest_charge"]}
        found = await self._call(f"{SESSIONS}.retrieve", "get", _path(SESSIONS, id_), expanded)
        intent = found.get("payment_intent")
        charge = intent.get("latest_charge") if isinstance(intent, Mapping) else None
        if not isinstance(intent, Mapping) or not isinstance(charge, Mapping):
            return stripe_objects.session(found, (), ())
        of_intent = {"payment_intent": intent["id"], "limit": PAGE}
        refunds: tuple[Mapping[str, Any], ...] = ()
        disputes: tuple[Mapping[str, Any], ...] = ()
        if intent["status"] == "succeeded":
            refunds = tuple([each async for each in self._listed(REFUNDS, of_intent)])
        if charge.get("disputed"):
            disputes = tuple([each async for each in self._listed(DISPUTES, of_intent)])
        return stripe_objects.session(found, refunds, disputes)

    async def expire_session(self, id_: str) -> None:
        await self._call(f"{SESSIONS}.expire", "post", _path(SESSIONS, id_, "expire"), {})

    async def capture(self, id_: str, key: str) -> SeenPayment:
        intent = await self._call(f"{INTENTS}.capture", "post", _path(INTENTS, id_, "capture"), {}, key)
        return stripe_objects.payment(intent, (), ())

    async def cancel(self, id_: str, key: str) -> SeenPayment:
        intent = await self._call(f"{INTENTS}.cancel", "post", _path(INTENTS, id_, "cancel"), {}, key)
        return stripe_objects.payment(intent, (), ())

    async def refund(self, id_: str, refund: UUID, amount: int, currency: str, key: str) -> None:
        try:
            whole = to_stripe(amount, currency)
        except CannotBeCharged as fault:
            raise Refused("cannot_be_charged") from fault
        sent = {"payment_intent": id_, "amount": whole, "metadata": {REFUND: str(refund)}}
        await self._call(f"{REFUNDS}.create", "post", _path(REFUNDS), sent, key)

    async def payments(self, since: datetime, until: datetime) -> AsyncIterator[SeenPayment]:
        within = {
            "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())},
            "expand": ["data.latest_charge"],
            "limit": PAGE,
        }
        async for intent in self._listed(INTENTS, within):
            yield stripe_objects.payment(intent, (), ())

    async def _listed(self, kind: str, asked: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
        """Every object of a list, page by page."""
        after: dict[str, str] = {}
        while True:
            page = await self._call(f"{kind}.list", "get", _path(kind), {**asked, **after})
            for each in page["data"]:
                yield each
            if not page["has_more"] or not page["data"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}

    async def _call(
        self, operation: str, method: str, path: str, sent: Mapping[str, Any], key: str | None = None
    ) -> Mapping[str, Any]:
        """What was answered, as plain data. Every fault as one of ports.ProviderError; texts hold no personal data."""
        within = spans.sampled()
        if within is None:
            return await self._answer(method, path, sent, key)
        attributes: dict[str, spans.Value] = {"rpc.system": self.name, "rpc.method": operation}
        with within.child(f"{self.name} {operation}", Kind.CLIENT, attributes):
            return await self._answer(method, path, sent, key)

    async def _answer(
        self, method: str, path: str, sent: Mapping[str, Any], key: str | None
    ) -> Mapping[str, Any]:
        if self._client is None:
            raise RuntimeError("the provider's client is not open")
        keyed = {} if key is None else {"idempotency_key": key}
        try:
            answer = await self._client.raw_request_async(method, path, **sent, **keyed)
        except stripe.APIConnectionError as fault:
            raise UnknownOutcome("no answer") from fault
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise UnknownOutcome(f"the answer broke off: {type(fault).__name__}") from fault
        except (stripe.RateLimitError, stripe.AuthenticationError, stripe.PermissionError) as fault:
            raise ProviderUnavailable(f"status {fault.http_status}: {fault.code}") from fault
        except stripe.StripeError as fault:
            status = fault.http_status or 500
            if status >= 500:
                raise ServerError(f"status {status}") from fault
            if status == 409:  # the same key is being worked on at this moment
                raise UnknownOutcome("the call is under way") from fault
            raise Refused(str(fault.code or type(fault).__name__)) from fault
        plain: Mapping[str, Any] = answer.data
        return plain


def _prefilled(email: str | None) -> str | None:
    """The address as the page has it filled in already: a convenience, which must not cost the page. Providers refuse
    what is not ASCII, and a local part has no other spelling."""
    if not email:
        return None
    sent = on_the_wire(email)
    return sent if sent.isascii() else None


def _path(kind: str, *below: str) -> str:
    """`checkout.sessions`, an id and an action as they stand in an address."""
    return "/".join(("/v1", *kind.split("."), *(quote(part, safe="") for part in below)))
