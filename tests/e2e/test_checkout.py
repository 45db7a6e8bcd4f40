"""A checkout through the gateway, from a guest's cart to the money, and what shoppers and providers do twice."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from sandbox_provider.settings import DEVELOPMENT_WEBHOOK_SECRET, WEBHOOK_PATH
from sandbox_provider.webhooks import signature
from tests.e2e import checkouts, people
from tests.e2e.checkouts import Product, Shopper
from tests.e2e.money.plan import ASKS, DECLINED, GOOD
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack

DAY = 86_400


@pytest.fixture
def product(stack: Stack, admin: Tokens) -> Product:
    return checkouts.stocked(stack, admin)


def test_a_guests_cart_comes_along_and_is_paid(stack: Stack, admin: Tokens, product: Product) -> None:
    other = checkouts.stocked(stack, admin, price=31_000)
    guest = Shopper(stack)
    guest.put(product, 2)
    guest.put(other, 1)
    kim = Shopper.member(stack)
    token = guest.headers["Authorization"].removeprefix("Bearer ")
    for _ in range(2):  # repeating is harmless
        merged = kim.call("POST", "/api/cart/merge", {"guest_token": token}).raise_for_status().json()
        assert {line["sku"]: line["quantity"] for line in merged["lines"]} == {product.sku: 2, other.sku: 1}
    placed = kim.place(merged)
    assert (placed.status_code, placed.json()["state"]) == (201, "placed")
    id_ = placed.json()["id"]
    kim.becomes(id_, "held")
    back = kim.card(kim.page(id_), GOOD)
    assert (back.status_code, back.headers["Location"].rpartition("/")[2]) == (303, id_)
    order = kim.becomes(id_, "paid")
    assert order["total"] == merged["total"] == 2 * 12_000 + 31_000
    assert kim.events(id_)[-3:] == ["payment_authorised", "stock_committed", "payment_captured"]
    (charge,) = checkouts.charges(stack, id_)
    assert (charge["captured"], charge["refunded"]) == (order["total"], 0)
    assert checkouts.available(stack, admin, product) == 8
    assert kim.call("GET", "/api/cart").json()["lines"] == []


def test_after_a_declined_card_there_is_a_way_back_and_the_stock_is_free(
    stack: Stack, admin: Tokens, product: Product
) -> None:
    guest = Shopper(stack)
    id_ = guest.held(product, 4)
    assert checkouts.available(stack, admin, product) == 6
    page = guest.page(id_)
    refused = guest.card(page, DECLINED)
    assert refused.status_code == 402
    assert f'/orders/{id_}"' in refused.text
    assert guest.page(id_) == page  # and the same page takes a better card
    guest.call("POST", f"/api/orders/{id_}/cancel").raise_for_status()
    guest.becomes(id_, "cancelled")
    assert checkouts.available(stack, admin, product) == 10
    assert guest.card(page, GOOD).status_code == 410
    assert [each["captured"] for each in checkouts.charges(stack, id_)] == [0]


def test_a_bank_may_ask_first(stack: Stack, product: Product) -> None:
    guest = Shopper(stack)
    id_ = guest.held(product)
    page = guest.page(id_)
    asked = guest.card(page, ASKS)
    assert (asked.status_code, guest.order(id_)["state"]) == (200, "paying")
    no = httpx.post(f"{page}/authenticate", data={"answer": "no"})
    assert no.status_code == 402
    assert httpx.post(f"{page}/authenticate", data={"answer": "yes"}).status_code == 303
    guest.becomes(id_, "paid")


def test_a_double_click_a_second_tab_and_the_back_button_are_one_order(
    stack: Stack, product: Product
) -> None:
    guest = Shopper(stack)
    cart, key = guest.put(product), people.new_key()
    with ThreadPoolExecutor(6) as tabs:
        clicks = list(
            tabs.map(lambda k: _until_answered(guest, cart, k), [key] * 3 + [f"{key}-{n}" for n in range(3)])
        )
    clicks.append(guest.place(cart))  # back, and once more
    placed = {answer.json()["id"] for answer in clicks if answer.status_code == 201}
    told = {answer.json()["order_id"] for answer in clicks if answer.status_code == 409}
    assert len(placed | told) == 1
    assert {answer.status_code for answer in clicks} == {201, 409}
    assert [each["id"] for each in guest.call("GET", "/api/orders").json()["items"]] == list(placed)


def _until_answered(guest: Shopper, cart: dict[str, Any], key: str) -> httpx.Response:
    """The second click of one key is told that the first is under way, and asks again."""
    while True:
        answer = guest.place(cart, key)
        if answer.status_code != 409 or answer.json()["type"] != "/problems/idempotency-in-progress":
            return answer
        time.sleep(0.1)


def test_two_tabs_at_the_payment_page_pay_once(stack: Stack, product: Product) -> None:
    guest = Shopper(stack)
    id_ = guest.held(product)
    pages = [guest.page(id_) for _ in range(2)]
    with ThreadPoolExecutor(4) as tabs:
        answers = list(tabs.map(lambda page: guest.card(page, GOOD).status_code, pages * 2))
    assert sorted(answers) == [303, 410, 410, 410] or set(answers) <= {303, 410}
    order = guest.becomes(id_, "paid")
    assert [each["captured"] for each in checkouts.charges(stack, id_)] == [order["total"]]


# ----- Webhooks, through the gateway


def hear(stack: Stack, event: dict[str, Any], **changed: Any) -> int:
    body = json.dumps(event).encode()
    at = int(time.time() - changed.get("age", 0))
    signed = {"Stripe-Signature": signature(body, changed.get("secret", DEVELOPMENT_WEBHOOK_SECRET), at)}
    headers = {"Content-Type": "application/json", **({} if changed.get("unsigned") else signed)}
    return httpx.post(
        f"{stack.gateway_url}{WEBHOOK_PATH}", content=body, headers=headers, timeout=30
    ).status_code


def paid_event(order: str, **changed: Any) -> dict[str, Any]:
    charge = {
        "id": "pi_made_up",
        "object": "payment_intent",
        "status": "succeeded",
        "metadata": {"order_id": order},
    }
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "data": {"object": charge},
        **changed,
    }


@pytest.fixture
def paying(stack: Stack, product: Product) -> tuple[Shopper, str, str]:
    """A shopper at the page of an order."""
    guest = Shopper(stack)
    id_ = guest.held(product)
    return guest, id_, guest.page(id_)


def test_no_webhook_makes_an_order_paid(stack: Stack, paying: tuple[Shopper, str, str]) -> None:
    guest, id_, _ = paying
    event = paid_event(id_)
    assert hear(stack, event, secret="whsec_somebody") == 400
    assert hear(stack, event, unsigned=True) == 400
    assert hear(stack, event, age=600) == 400  # signed well, ten minutes ago
    # Signed as it should be, and still only a hint: the provider is asked, and says that nothing was paid.
    assert hear(stack, event) == 200
    assert hear(stack, paid_event(id_, created=int(time.time()) - 3 * DAY)) == 200
    assert hear(stack, paid_event(id_, account="acct_of_somebody_else")) == 200
    assert hear(stack, paid_event(str(uuid.uuid4()))) == 200  # of an order that is not ours
    page = guest.page(id_)  # asks the provider as well
    assert page
    assert guest.order(id_)["state"] == "paying"


def test_a_webhook_that_comes_a_hundred_times_at_once_counts_once(
    stack: Stack, paying: tuple[Shopper, str, str]
) -> None:
    guest, id_, page = paying
    assert guest.card(page, GOOD).status_code == 303
    event = paid_event(id_)
    with ThreadPoolExecutor(20) as senders:
        assert set(senders.map(lambda _: hear(stack, event), range(100))) == {200}
    order = guest.becomes(id_, "paid")
    assert [each["captured"] for each in checkouts.charges(stack, id_)] == [order["total"]]
    assert guest.events(id_).count("payment_captured") == 1


def test_without_any_webhook_who_comes_back_finds_the_order_paid(
    stack: Stack, paying: tuple[Shopper, str, str]
) -> None:
    guest, id_, page = paying
    control = f"{stack.sandbox_url}/_control/webhooks"
    httpx.put(control, json={"drop": True}).raise_for_status()
    try:
        assert guest.card(page, GOOD).status_code == 303
        again = guest.call("POST", f"/api/orders/{id_}/payment")
        assert (again.status_code, again.json()["type"]) == (409, "/problems/order-state")
        guest.becomes(id_, "paid")
    finally:
        httpx.put(control, json={}).raise_for_status()
