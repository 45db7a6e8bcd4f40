"""Delivers events to the shop's webhook, signed as Stripe signs them, until they are taken (at least once).

https://docs.stripe.com/webhooks#verify-manually: `Stripe-Signature: t=SECONDS,v1=HMAC-SHA256(secret, "t.body")`.
"""

import asyncio
import hmac
import logging
import random
import time
from contextlib import suppress

import aiohttp

from sandbox_provider.books import Books, Delivery
from sandbox_provider.faults import WebhookFaults

ENABLED_EVENTS = frozenset(
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
"""The endpoint's own choice, as in an account of Stripe's: the types that payment has a use for."""
TIMEOUT_S = 10.0
FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 60.0
MOST_TRIES = 4000

_log = logging.getLogger(__name__)


def signature(body: bytes, secret: str, at: int) -> str:
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    return f"t={at},v1={digest}"


class Webhooks:
    """`announce` writes down that an event is to be delivered; `run` delivers."""

    def __init__(self, books: Books, faults: WebhookFaults, url: str, secret: str) -> None:
        self._books = books
        self.faults = faults
        self._url = url
        self._secret = secret
        self._news = asyncio.Event()

    def announce(self, event: str, type_: str) -> None:
        """In the transaction at hand."""
        if not self._url or self.faults.drop or type_ not in ENABLED_EVENTS:
            return
        spread = random.random() if self.faults.shuffle else 0.0  # noqa: S311  # an order, no secret
        for _ in range(self.faults.copies):
            self._books.announce(event, time.time() + self.faults.delay + spread)
        self._news.set()

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                due = self._books.due(time.time())
                if due:
                    await asyncio.gather(*(self._deliver(session, delivery) for delivery in due))
                    continue
                self._news.clear()
                next_due = self._books.next_due()
                pause = None if next_due is None else max(next_due - time.time(), 0.01)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._news.wait()

    async def _deliver(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        body = (self._books.text("event", delivery.event) or "").encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self._secret, int(time.time())),
        }
        try:
            async with session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                taken = 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            _log.info("a webhook was not taken: %r", fault)
            taken = False
        if taken:
            self._books.delivered(delivery.number)
        elif delivery.tries + 1 >= MOST_TRIES:
            self._books.delivered(delivery.number, "given up")
        else:
            pause = min(FIRST_RETRY_S * 2 ** min(delivery.tries, 20), LONGEST_RETRY_S)
            self._books.deliver_later(delivery.number, time.time() + pause)
