"""Stripe, by its official client: hosted Checkout with manual capture (https://docs.stripe.com/payments/place-a-hold-on-a-payment-method).

No card number and no script of Stripe's passes through the shop. The client repeats nothing by itself: keys and repeats
are the application's (domain/calls.py).
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar
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

T = TypeVar("T")


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
        made = await self._call(
            "checkout.sessions.create", self._v1.checkout.sessions.create_async(sent, _keyed(key))
        )
        return stripe_objects.session(made, (), ())

    async def find_session(self, order: UUID, attempt: int, since: datetime) -> SeenSession | None:
        found = self._listed(
            "checkout.sessions.list",
            self._v1.checkout.sessions,
            {"created": {"gte": int(since.timestamp())}, "limit": PAGE},
        )
        async for session in found:
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
        async for session in self._listed("checkout.sessions.list", self._v1.checkout.sessions, asked):
            if (page := stripe_objects.page(session)) is not None:
                yield page

    async def get_session(self, id_: str) -> SeenSession:
        found = await self._call(
            "checkout.sessions.retrieve",
            self._v1.checkout.sessions.retrieve_async(id_, {"expand": ["payment_intent.latest_charge"]}),
        )
        intent = found.get("payment_intent")
        charge = intent.get("latest_charge") if isinstance(intent, Mapping) else None
        if not isinstance(intent, Mapping) or not isinstance(charge, Mapping):
            return stripe_objects.session(found, (), ())
        of_intent = {"payment_intent": intent["id"], "limit": PAGE}
        refunds: tuple[Mapping[str, Any], ...] = ()
        disputes: tuple[Mapping[str, Any], ...] = ()
        if intent["status"] == "succeeded":
            refunds = tuple(
                [each async for each in self._listed("refunds.list", self._v1.refunds, of_intent)]
            )
        if charge.get("disputed"):
            disputes = tuple(
                [each async for each in self._listed("disputes.list", self._v1.disputes, of_intent)]
            )
        return stripe_objects.session(found, refunds, disputes)

    async def expire_session(self, id_: str) -> None:
        await self._call("checkout.sessions.expire", self._v1.checkout.sessions.expire_async(id_))

    async def capture(self, id_: str, key: str) -> SeenPayment:
        intent = await self._call(
            "payment_intents.capture", self._v1.payment_intents.capture_async(id_, {}, _keyed(key))
        )
        return stripe_objects.payment(intent, (), ())

    async def cancel(self, id_: str, key: str) -> SeenPayment:
        intent = await self._call(
            "payment_intents.cancel", self._v1.payment_intents.cancel_async(id_, {}, _keyed(key))
        )
        return stripe_objects.payment(intent, (), ())

    async def refund(self, id_: str, refund: UUID, amount: int, currency: str, key: str) -> None:
        try:
            whole = to_stripe(amount, currency)
        except CannotBeCharged as fault:
            raise Refused("cannot_be_charged") from fault
        sent = {"payment_intent": id_, "amount": whole, "metadata": {REFUND: str(refund)}}
        await self._call("refunds.create", self._v1.refunds.create_async(sent, _keyed(key)))

    async def payments(self, since: datetime, until: datetime) -> AsyncIterator[SeenPayment]:
        within = {
            "created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())},
            "expand": ["data.latest_charge"],
            "limit": PAGE,
        }
        async for intent in self._listed("payment_intents.list", self._v1.payment_intents, within):
            yield stripe_objects.payment(intent, (), ())

    @property
    def _v1(self) -> Any:
        if self._client is None:
            raise RuntimeError("the provider's client is not open")
        return self._client.v1

    async def _listed(
        self, operation: str, service: Any, asked: Mapping[str, Any]
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Every object of a list, page by page."""
        after: dict[str, str] = {}
        while True:
            page = await self._call(operation, service.list_async({**asked, **after}))
            for each in page["data"]:
                yield each
            if not page["has_more"] or not page["data"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}

    async def _call(self, operation: str, call: Awaitable[Any]) -> Mapping[str, Any]:
        """What was answered, as plain data. Every fault as one of ports.ProviderError; texts hold no personal data."""
        within = spans.sampled()
        if within is None:
            return await self._answer(call)
        attributes: dict[str, spans.Value] = {"rpc.system": self.name, "rpc.method": operation}
        with within.child(f"{self.name} {operation}", Kind.CLIENT, attributes):
            return await self._answer(call)

    async def _answer(self, call: Awaitable[Any]) -> Mapping[str, Any]:
        try:
            answer = await call
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
        plain: Mapping[str, Any] = answer.to_dict(recursive=True)
        return plain


def _prefilled(email: str | None) -> str | None:
    """The address as the page has it filled in already: a convenience, which must not cost the page. Providers refuse
    what is not ASCII, and a local part has no other spelling."""
    if not email:
        return None
    sent = on_the_wire(email)
    return sent if sent.isascii() else None


def _keyed(key: str) -> dict[str, str]:
    return {"idempotency_key": key}
