"""The shop's pages where something is down, and what the front does for somebody without an account."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web

from frontend_proxy.pages.shop import catalog
from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token, refusal

PAGE = {"Accept": "text/html"}
PRODUCT: dict[str, Any] = {
    "id": "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d11",
    "slug": "shoe",
    "name": "Shoe </script><b>",
    "description": "One.\nTwo.",
    "brand": "B",
    "categories": [],
    "currency": "KRW",
    "price": 1000,
    "compare_at_price": None,
    "availability": "in_stock",
    "options": [],
    "variants": [
        {
            "id": "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d12",
            "sku": "SHOE",
            "values": [],
            "price": 1000,
            "compare_at_price": None,
            "availability": "in_stock",
        }
    ],
    "images": [],
    "updated_at": "2026-03-01T09:00:00Z",
}
LINE = {
    "sku": "SHOE",
    "slug": "shoe",
    "name": {"ko": "신발", "en": "Shoe"},
    "option_names": {},
    "image": None,
    "quantity": 2,
    "unit_price": 1000,
    "compare_at_price": None,
    "available": 9,
    "availability": "in_stock",
}
CART: dict[str, Any] = {
    "version": 4,
    "currency": "KRW",
    "lines": [LINE],
    "unavailable": [],
    "changes": [],
    "items": 2000,
    "shipping": 3000,
    "tax": 455,
    "total": 5000,
    "free_shipping_from": 50_000,
}
TYPED = {
    "idempotency_key": "11111111-2222-4333-8444-555555555555",
    "cart_version": "4",
    "expected_total": "5000",
    "where": "new",
    "email": "guest@example.com",
    "phone": "010-1234-5678",
    "recipient": "Minji",
    "postal_code": "04524",
    "city": "Seoul",
    "line1": "Sejong-daero 110",
}
Said = dict[str, Any] | int


def gateway(answers: dict[str, Said]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answers `METHOD path` with a document or a status."""

    async def answer(request: web.Request) -> web.Response:
        found = answers.get(f"{request.method} {request.path}", 404)
        if isinstance(found, int):
            return refusal(found)
        return web.json_response(found, status=found.get("status", 200))

    return answer


def guest(front: Front, **changes: Any) -> str:
    token = access_token(roles=("guest",), **changes)
    front.keep("/", access_token=token)
    return token


async def send(front: Front, path: str, form: dict[str, str], **headers: str) -> tuple[int, str, str]:
    """The status, where it leads, and the text."""
    async with front.browser.post(
        front.url + path,
        data=urlencode(form),
        headers={**PAGE, "Content-Type": "application/x-www-form-urlencoded", **headers},
        allow_redirects=False,
    ) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def look(front: Front, path: str) -> tuple[int, str]:
    async with front.browser.get(front.url + path, headers=PAGE, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def test_the_first_thing_in_a_cart_begins_a_guests_session(front: Front) -> None:
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT, "PUT /api/cart/items/SHOE": CART})
    status, place, _ = await send(front, "/cart/items", {"slug": "shoe", "quantity": "2"})
    assert (status, place) == (303, "/products/shoe?done=added")
    assert front.auth_server.seen[-1].target == "/api/auth/guest"
    put = next(seen for seen in front.gateway.seen if seen.method == "PUT")
    assert json.loads(put.body) == {"quantity": 2}
    assert put.headers["Authorization"].removeprefix("Bearer ") == front.cookies("/")["access_token"]
    assert front.cookies("/")["in_cart"] == "2"


async def test_what_is_there_already_is_added_to(front: Front) -> None:
    guest(front)
    answers: dict[str, Said] = {"GET /api/products/shoe": PRODUCT, "GET /api/cart": CART}
    front.gateway.answer = gateway({**answers, "PUT /api/cart/items/SHOE": CART})
    async with front.browser.post(
        f"{front.url}/cart/items",
        data={"slug": "shoe", "quantity": "98"},
        headers={"Accept": "application/json"},
    ) as answer:
        told = await answer.json()
    assert told == {
        "good": True,
        "said": "“Shoe </script><b>” is in your cart.",
        "in_cart": 2,
        "link": "Go to cart",
    }
    put = next(seen for seen in front.gateway.seen if seen.method == "PUT")
    assert json.loads(put.body) == {"quantity": 99}, "a cart has at most 99 of a thing"
    product = next(seen for seen in front.gateway.seen if seen.target.startswith("/api/products/"))
    assert "Authorization" not in product.headers, "what is for everybody is asked for by nobody"


@pytest.mark.parametrize(
    ("form", "outcome"),
    [
        ({"slug": "shoe", "quantity": "0"}, "/products/shoe?done=bad_quantity"),
        ({"slug": "shoe", "quantity": "x"}, "/products/shoe?done=bad_quantity"),
        ({"slug": "gone", "quantity": "1"}, "/products/gone?done=try_again"),
        ({"slug": "https://evil.example", "quantity": "1"}, "/cart?done=try_again"),
    ],
)
async def test_what_cannot_be_put_into_a_cart_is_said_where_it_was_chosen(
    front: Front, form: dict[str, str], outcome: str
) -> None:
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT})
    status, place, _ = await send(front, "/cart/items", form)
    assert (status, place) == (303, outcome)


async def test_a_guest_is_no_member(front: Front) -> None:
    guest(front)
    async with front.browser.get(f"{front.url}/account", headers=PAGE, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/sign-in?next=/account"
    status, text = await look(front, "/sign-in")
    assert status == 200 and "Sign out" not in text


async def test_a_guest_whose_session_is_over_is_shown_the_page_and_not_the_sign_in(front: Front) -> None:
    guest(front, expires_in=-10)
    front.keep("/api", refresh_token="old")
    async with front.browser.get(f"{front.url}/api/auth/resume?next=/cart", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/cart")
    assert "access_token" not in front.cookies("/")


@pytest.mark.parametrize(
    ("target", "place"), [("/", "/"), ("/cart", "/cart"), ("/account", "/sign-in?next=/account")]
)
async def test_a_member_who_comes_back_after_a_month_sees_the_shop(
    front: Front, target: str, place: str
) -> None:
    front.keep("/", access_token=access_token(expires_in=-10))
    front.keep("/api", refresh_token="old")
    url = f"{front.url}/api/auth/resume?next={target}"
    async with front.browser.get(url, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, place)


async def test_who_makes_an_account_on_the_way_to_pay_comes_back_to_it(front: Front) -> None:
    _, text = await look(front, "/sign-in?next=/checkout")
    assert 'href="/register?next=/checkout"' in text
    _, text = await look(front, "/register?next=/checkout")
    assert 'href="/sign-in?next=/checkout"' in text


@pytest.mark.parametrize("path", ["/cart/items", "/cart/change", "/orders/claim"])
async def test_where_only_forms_lead_somebody_who_signed_in_again_is_led_on(front: Front, path: str) -> None:
    async with front.browser.get(front.url + path, headers=PAGE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, f"/{path.split('/')[1]}")


async def test_a_refused_token_of_a_guest_is_forgotten(front: Front) -> None:
    guest(front)
    front.gateway.answer = gateway({"GET /api/cart": 401})
    async with front.browser.get(f"{front.url}/cart", headers=PAGE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/cart")
    assert "access_token" not in front.cookies("/")


@pytest.mark.parametrize("by", ["page", "script"])
async def test_signing_in_brings_a_guests_cart_along(front: Front, by: str) -> None:
    token = guest(front)
    front.gateway.answer = gateway({"POST /api/cart/merge": CART})
    credentials = {"email": "test@example.com", "password": "password123"}
    if by == "page":
        status, place, _ = await send(front, "/sign-in", {**credentials, "next": "/cart"})
        assert (status, place) == (303, "/cart")
        assert front.cookies("/")["in_cart"] == "2"
    else:
        await front.sign_in()
    merge = front.gateway.seen[-1]
    assert merge.target == "/api/cart/merge"
    assert json.loads(merge.body) == {"guest_token": token}
    assert merge.headers["Authorization"] == f"Bearer {front.cookies('/')['access_token']}"


async def test_signing_in_does_not_fail_with_the_cart(front: Front) -> None:
    guest(front)
    front.gateway.answer = gateway({"POST /api/cart/merge": 503})
    credentials = {"email": "test@example.com", "password": "password123"}
    assert (await send(front, "/sign-in", credentials))[:2] == (303, "/")


async def test_a_members_own_session_brings_no_cart(front: Front) -> None:
    await front.sign_in()
    await front.sign_in()
    assert front.gateway.seen == []


async def test_a_cart_that_cannot_be_read_is_said_not_to_be_lost(front: Front) -> None:
    guest(front)
    front.keep("/", in_cart="3")
    for status in (502, 503):
        front.gateway.answer = gateway({"GET /api/cart": status})
        answered, text = await look(front, "/cart")
        assert answered == 503 and "Nothing in it is lost" in text
    assert front.cookies("/")["in_cart"] == "3"


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_lost_answer_to_an_order_keeps_its_key_so_that_twice_is_once(
    front: Front, status: int
) -> None:
    guest(front)
    screen: dict[str, Any] = {"cart": CART, "member": None, "degraded": []}
    front.gateway.answer = gateway({"GET /api/checkout": screen, "POST /api/orders": status})
    answered, _, text = await send(front, "/checkout", TYPED)
    assert answered == status
    assert 'value="Minji"' in text
    if status == 503:
        return
    sent = next(seen for seen in front.gateway.seen if seen.target == "/api/orders")
    assert sent.headers["Idempotency-Key"] == TYPED["idempotency_key"]


async def test_the_key_stays_until_something_is_known_of_the_order(front: Front) -> None:
    guest(front)
    screen: dict[str, Any] = {"cart": CART, "member": None, "degraded": []}
    front.gateway.answer = gateway({"GET /api/checkout": screen, "POST /api/orders": 503})
    _, _, text = await send(front, "/checkout", TYPED)
    assert TYPED["idempotency_key"] in text
    changed = {"type": "/problems/cart-changed", "status": 409, "cart": {**CART, "total": 6000, "version": 5}}
    front.gateway.answer = gateway({"GET /api/checkout": screen, "POST /api/orders": changed})
    status, _, text = await send(front, "/checkout", TYPED)
    assert status == 409 and "from ₩5,000 to ₩6,000" in text
    assert TYPED["idempotency_key"] not in text
    assert 'name="cart_version" value="5"' in text


async def test_a_form_that_is_sent_again_meanwhile_gets_the_first_ones_answer(front: Front) -> None:
    guest(front)
    waits = 2

    async def answer(request: web.Request) -> web.Response:
        nonlocal waits
        if request.path != "/api/orders":
            return web.json_response({"cart": CART, "member": None, "degraded": []})
        waits -= 1
        if waits >= 0:
            return web.json_response({"type": "/problems/idempotency-in-progress"}, status=409)
        return web.json_response({"id": PRODUCT["id"]}, status=201)

    front.gateway.answer = answer
    status, place, _ = await send(front, "/checkout", TYPED)
    assert (status, place) == (303, f"/orders/{PRODUCT['id']}/pay")


async def test_a_cart_that_was_ordered_already_leads_to_its_order(front: Front) -> None:
    guest(front)
    ordered = {"type": "/problems/cart-ordered", "status": 409, "order_id": PRODUCT["id"]}
    screen: dict[str, Any] = {"cart": CART, "member": None, "degraded": []}
    front.gateway.answer = gateway({"GET /api/checkout": screen, "POST /api/orders": ordered})
    assert (await send(front, "/checkout", TYPED))[:2] == (303, f"/orders/{PRODUCT['id']}")


async def test_an_address_of_a_book_that_cannot_be_read_is_not_guessed(front: Front) -> None:
    await front.sign_in()
    screen: dict[str, Any] = {"cart": CART, "member": None, "degraded": ["member"]}
    front.gateway.answer = gateway({"GET /api/checkout": screen})
    status, _, text = await send(front, "/checkout", {**TYPED, "where": "0"})
    assert status == 503 and "saved addresses cannot be shown" in text
    assert all(seen.target != "/api/orders" for seen in front.gateway.seen)


async def test_a_list_without_its_catalog_is_an_error_page_with_a_way_on(front: Front) -> None:
    front.gateway.answer = gateway({"GET /api/products": 503, "GET /api/categories": 503})
    status, text = await look(front, "/products?q=shoe")
    assert status == 503 and "Try again" in text and "/products?q=shoe" in text


@pytest.mark.parametrize("name", ["documents", "suggestions", PRODUCT["id"], "Shoe", "a" * 101])
async def test_what_is_no_products_name_is_a_missing_page_and_asked_of_nobody(
    front: Front, name: str
) -> None:
    status, text = await look(front, f"/products/{name}")
    assert status == 404 and "This page does not exist" in text
    assert front.gateway.seen == []


async def test_shelves_show_whose_session_it_is_without_renewing_it(front: Front) -> None:
    front.keep("/", access_token=access_token(expires_in=-10, roles=("admin",)))
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT})
    status, text = await look(front, "/products/shoe")
    assert status == 200 and "Sign out" in text
    assert all("Authorization" not in seen.headers for seen in front.gateway.seen)


@pytest.mark.parametrize("sku", ["", "../../orders", "A/B", ".."])
async def test_only_a_sku_is_changed_in_a_cart(front: Front, sku: str) -> None:
    guest(front)
    status, place, _ = await send(front, "/cart/change", {"sku": sku, "remove": "yes"})
    assert (status, place) == (303, "/cart?done=failed")
    assert front.gateway.seen == []


async def test_a_chosen_language_wins_over_one_in_the_address(front: Front) -> None:
    form = {"language": "en", "next": "/products/shoe?lang=ko&done=added"}
    assert (await send(front, "/language", form))[1] == "/products/shoe?done=added"


async def test_a_catalog_that_hangs_keeps_nobody_from_the_first_page(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "PATIENCE", 0.2)
    monkeypatch.setattr(catalog, "WAITED_FOR", 0.1)
    end = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/api/storefront":
            return web.json_response({"arrivals": None, "degraded": ["arrivals"]})
        await end.wait()
        return refusal(503)

    front.gateway.answer = answer
    status, text = await look(front, "/")
    assert status == 200 and "The products could not be loaded" in text
    status, text = await look(front, "/products")
    assert status == 504 and "Try again" in text
    end.set()


async def test_what_a_product_is_called_ends_no_script(front: Front) -> None:
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT})
    _, text = await look(front, "/products/shoe")
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert block and json.loads(block[1])["name"] == PRODUCT["name"]
    assert "<b>" not in text


async def test_pictures_are_fetched_without_anybodys_session_and_kept(front: Front) -> None:
    async def picture(_: web.Request) -> web.Response:
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=b"webp", content_type="image/webp", headers=kept)

    await front.sign_in()
    front.gateway.answer = picture
    async with front.browser.get(f"{front.url}/media/abc-320.webp") as answer:
        assert (answer.status, await answer.read()) == (200, b"webp")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin", "a CDN passes this on"
    assert {"Authorization", "Cookie"}.isdisjoint(front.gateway.seen[-1].headers)
    async with front.browser.post(f"{front.url}/media/abc-320.webp") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


async def test_a_cdns_pictures_may_be_shown_and_nothing_else_of_it(start: Any) -> None:
    front = await start(media_origin="https://cdn.example")
    front.gateway.answer = gateway({"GET /api/products/shoe": PRODUCT})
    async with front.browser.get(f"{front.url}/products/shoe", headers=PAGE) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert [rule for rule in policy.split("; ") if "cdn.example" in rule] == [
        "img-src 'self' https://cdn.example"
    ]
