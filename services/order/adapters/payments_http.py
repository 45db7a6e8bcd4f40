"""Asks payment for the page on which the shopper pays."""

import logging

import msgspec

from common import header_names
from common.http_client import CallFailed, HttpClient
from services.order.adapters.order_messages import payment_goal
from services.order.application.ports import PaymentPage
from services.order.domain.errors import PaymentUnavailable
from services.order.domain.orders import Order

TIMEOUT_S = 5.5
"""Payment itself answers within 5 s."""

_log = logging.getLogger(__name__)


class _Payment(msgspec.Struct, frozen=True):
    state: str
    session_url: str | None


class HttpPayments:
    """`base`: payment's URL; `site`: the public origin."""

    def __init__(self, client: HttpClient, base: str, *, internal_key: str, site: str) -> None:
        self._client = client
        self._base = base
        self._internal_key = internal_key
        self._site = site

    async def page(self, order: Order) -> PaymentPage:
        goal = payment_goal(order, "authorise", self._site, wait=True)
        try:
            answer = await self._client.call(
                "PUT",
                f"{self._base}/internal/payments/{order.id}",
                timeout=TIMEOUT_S,
                headers={header_names.INTERNAL_KEY: self._internal_key, "Content-Type": "application/json"},
                body=msgspec.json.encode(goal),
            )
        except CallFailed as fault:
            _log.warning("no payment page", extra={"order": str(order.id), "cause": str(fault)})
            raise PaymentUnavailable from fault
        if answer.status != 200:
            _log.warning("no payment page", extra={"order": str(order.id), "status": answer.status})
            raise PaymentUnavailable
        payment = msgspec.json.decode(answer.body, type=_Payment)
        return PaymentPage(state=payment.state, url=payment.session_url)
