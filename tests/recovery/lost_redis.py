"""Redis comes back empty, as it is after a promotion elsewhere: what was answered before has to hold all the same.

Revocations are written anew from auth's PostgreSQL, and of a repeated key the service's own record decides.
"""

from __future__ import annotations

import shutil
import time
import uuid
from dataclasses import dataclass, field

import httpx

from tests.e2e import people
from tests.e2e.checkouts import Product, Shopper, stocked
from tests.e2e.local_stack import LocalStack
from tests.e2e.money.shoppers import PASSWORD
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

BACK_WITHIN = 60.0
"""Seconds from the new start of Redis to the first answer for somebody whose session lives."""


def lose(stack: LocalStack) -> None:
    """Its data are gone, and it runs again."""
    stack.stop("redis")
    shutil.rmtree(stack.directory / "redis")
    stack.restart("redis")


@dataclass
class Before:
    """What somebody was told: an order under a key, a session that has ended, two that live."""

    shopper: Shopper
    product: Product
    key: str
    order: httpx.Response
    sent: dict[str, object]
    ended: Tokens
    living: Tokens
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, stack: Stack, admin: Tokens) -> Before:
        product = stocked(stack, admin)
        shopper = Shopper(stack)
        cart = shopper.put(product)
        sent, key = shopper.wish(cart), people.new_key()
        order = shopper.call("POST", "/api/orders", sent, key)
        assert order.status_code == 201, order.text
        email = f"{uuid.uuid4().hex[:12]}@example.com"
        person = {"email": email, "password": PASSWORD, "name": "Kim"}
        httpx.post(f"{stack.auth_url}/api/auth/register", json=person).raise_for_status()
        ended, living = people.sign_in(stack, email, PASSWORD), people.sign_in(stack, email, PASSWORD)
        httpx.post(f"{stack.auth_url}/api/auth/logout", json={}, headers=ended.bearer).raise_for_status()
        return cls(shopper, product, key, order, sent, ended, living)

    def check(self, stack: Stack) -> list[str]:
        """What does not hold any more, a sentence each."""
        wrong = self._until_back(stack)
        again = self.shopper.call("POST", "/api/orders", self.sent, self.key)
        if (again.status_code, again.text) != (201, self.order.text):
            wrong.append(f"the repeat of a keyed order was answered {again.status_code} {again.text}")
        listed = self.shopper.call("GET", "/api/orders").raise_for_status().json()["items"]
        if len(listed) != 1:
            wrong.append(f"one key, {len(listed)} orders")
        refreshed = httpx.post(
            f"{stack.auth_url}/api/auth/refresh", json={"refresh_token": self.ended.refresh}, timeout=30
        )
        if refreshed.status_code != 401:
            wrong.append(f"an ended session was refreshed: {refreshed.status_code}")
        return wrong

    def _until_back(self, stack: Stack) -> list[str]:
        """Until the living session is served again; the ended one must not be, not even for a moment before."""
        give_up = time.monotonic() + BACK_WITHIN
        while time.monotonic() < give_up:
            statuses = {
                name: httpx.get(f"{stack.gateway_url}/api/cart", headers=each.bearer, timeout=30).status_code
                for name, each in (("ended", self.ended), ("living", self.living))
            }
            if statuses["ended"] < 400:
                return [f"an ended session was served: {statuses['ended']}"]
            if statuses == {"ended": 401, "living": 200}:
                return []
            time.sleep(0.05)
        return [f"a session that lives was not served again: {statuses}"]
