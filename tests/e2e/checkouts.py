"""A shop with one product and its shoppers, through the gateway: what the journeys of a checkout are made of."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from tests.e2e import people
from tests.e2e.money.shoppers import ADDRESS, PASSWORD
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

WITHIN = 60.0
"""Seconds that any machine needs for a step of an order, however busy it is."""


@dataclass(frozen=True)
class Product:
    sku: str
    price: int


def stocked(stack: Stack, admin: Tokens, *, price: int = 12_000, units: int = 10) -> Product:
    """A new product for sale."""
    sku = f"checkout-{uuid.uuid4().hex[:12]}"
    category = httpx.get(f"{stack.gateway_url}/api/categories").json()["items"][0]["id"]
    body = {
        "category": category,
        "slug": sku,
        "status": "active",
        "texts": {"ko": {"name": f"상품 {sku}"}, "en": {"name": f"Product {sku}"}},
        "variants": [{"sku": sku, "price": price}],
    }
    for path, sent in (
        ("/api/products", body),
        ("/api/stock/adjustments", {"sku": sku, "change": units, "reason": "delivery"}),
    ):
        headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
        httpx.post(f"{stack.gateway_url}{path}", json=sent, headers=headers).raise_for_status()
    return Product(sku, price)


class Shopper:
    """A guest, or a member by `headers`."""

    def __init__(self, stack: Stack, headers: dict[str, str] | None = None) -> None:
        self.stack = stack
        if headers is None:
            guest = httpx.post(f"{stack.gateway_url}/api/auth/guest", timeout=30).raise_for_status().json()
            headers = {"Authorization": f"Bearer {guest['access_token']}"}
        self.headers = headers

    @classmethod
    def member(cls, stack: Stack) -> Shopper:
        person = {"email": f"{uuid.uuid4().hex[:12]}@example.com", "password": PASSWORD}
        httpx.post(f"{stack.auth_url}/api/auth/register", json={**person, "name": "Kim"}).raise_for_status()
        return cls(stack, people.sign_in(stack, **person).bearer)

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return httpx.request(method, self.stack.gateway_url + path, json=body, headers=headers, timeout=30)

    def put(self, product: Product, quantity: int = 1) -> dict[str, Any]:
        """The cart, with so many of it."""
        answer = self.call("PUT", f"/api/cart/items/{product.sku}", {"quantity": quantity})
        cart: dict[str, Any] = answer.raise_for_status().json()
        return cart

    def wish(self, cart: dict[str, Any]) -> dict[str, Any]:
        """The body that places this cart."""
        return {
            "cart_version": cart["version"],
            "expected_total": cart["total"],
            "address": ADDRESS,
            "email": "kim@example.com",
            "lang": "en",
        }

    def place(self, cart: dict[str, Any], key: str | None = None) -> httpx.Response:
        return self.call("POST", "/api/orders", self.wish(cart), key or people.new_key())

    def held(self, product: Product, quantity: int = 1) -> str:
        """The id of an order that may be paid."""
        placed = self.place(self.put(product, quantity))
        assert placed.status_code == 201, placed.text
        id_ = str(placed.json()["id"])
        self.becomes(id_, "held")
        return id_

    def page(self, order: str) -> str:
        """Where to pay."""
        answer = self.call("POST", f"/api/orders/{order}/payment").raise_for_status()
        return str(answer.json()["redirect_url"])

    def card(self, page: str, number: str) -> httpx.Response:
        return httpx.post(page, data={"card": number}, timeout=30)

    def order(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/orders/{id_}").raise_for_status().json()
        return found

    def becomes(self, id_: str, *states: str) -> dict[str, Any]:
        """The order, once it is in one of the states."""
        give_up = time.monotonic() + WITHIN
        while (order := self.order(id_))["state"] not in states:
            assert time.monotonic() < give_up, f"still {order['state']}, not {states}"
            time.sleep(0.05)
        return order

    def events(self, id_: str) -> list[str]:
        timeline = self.call("GET", f"/api/orders/{id_}/events").raise_for_status().json()
        return [event["event"] for event in timeline["events"]]


def available(stack: Stack, admin: Tokens, product: Product) -> int:
    listed = httpx.get(f"{stack.gateway_url}/api/stock", params={"sku": product.sku}, headers=admin.bearer)
    (level,) = [each for each in listed.raise_for_status().json()["items"] if each["sku"] == product.sku]
    return int(level["available"])


def charges(stack: Stack, order: str) -> list[dict[str, Any]]:
    """The provider's, of one order."""
    intents = (
        httpx.get(f"{stack.sandbox_url}/_control/books", timeout=30).raise_for_status().json()["intents"]
    )
    return [each for each in intents if each["metadata"].get("order_id") == order]
