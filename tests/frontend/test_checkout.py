"""The checkout's form: once is once, and nothing is guessed."""

import json
from typing import Any

import pytest
from aiohttp import web

from frontend_proxy.pages.checkout.placement import name_of
from services.member.domain.values import MAX_ADDRESSES
from tests.frontend.conftest import Front
from tests.frontend.fulfilment import ID, ORDER, TIMELINE
from tests.frontend.shopping import CART, PRODUCT, TYPED, Said, gateway, guest, look, send


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
    place = f"/orders/{PRODUCT['id']}?done=ordered"
    assert (await send(front, "/checkout", TYPED))[:2] == (303, place)


async def test_who_goes_back_and_changes_the_form_is_led_to_the_order_of_that_cart(front: Front) -> None:
    guest(front)

    async def answer(request: web.Request) -> web.Response:
        if request.path != "/api/orders":
            return web.json_response({"cart": {**CART, "lines": []}, "member": None, "degraded": []})
        if request.headers["Idempotency-Key"] == TYPED["idempotency_key"]:
            return web.json_response({"type": "/problems/idempotency-key-reused"}, status=422)
        ordered = {"type": "/problems/cart-ordered", "order_id": PRODUCT["id"]}
        return web.json_response(ordered, status=409)

    front.gateway.answer = answer
    changed = {**TYPED, "line1": "Sejong-daero 111"}
    assert (await send(front, "/checkout", changed))[:2] == (303, f"/orders/{PRODUCT['id']}?done=ordered")
    front.gateway.answer = gateway({f"GET /api/orders/{ID}": ORDER, f"GET /api/orders/{ID}/events": TIMELINE})
    assert "nothing of it was changed" in (await look(front, f"/orders/{ID}?done=ordered"))[1]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"left_out": [], "cart": CART}, "/cart"),
        ({"left_out": ["GONE"], "cart": CART}, "/cart?done=left_out"),
        (409, "/cart?done=full"),
    ],
    ids=["all", "some", "full"],
)
async def test_ordering_again_is_one_call_and_says_what_stays_out(
    front: Front, said: Said, place: str
) -> None:
    """Each item by a call of its own met the gateway's limit of 30 a second, and the others were lost unseen."""
    guest(front)
    front.gateway.answer = gateway({f"POST /api/orders/{PRODUCT['id']}/again": said, "GET /api/cart": CART})
    assert (await send(front, f"/orders/{PRODUCT['id']}/again", {}))[:2] == (303, place)
    assert len(front.gateway.seen) == 1
    status, text = await look(front, place)
    assert (status, "not sold any more" in text) == (200, "left_out" in place)
    assert ("Your cart is full" in text) == ("full" in place)


@pytest.mark.parametrize(
    ("lines", "place"), [(CART["lines"], "/cart?done=unpayable"), ([], "/cart")], ids=["total", "empty"]
)
async def test_a_cart_that_cannot_be_paid_leads_to_it_and_says_so(
    front: Front, lines: list[Any], place: str
) -> None:
    guest(front)
    refused = {"type": "about:blank", "status": 409}
    screen: dict[str, Any] = {"cart": {**CART, "lines": lines}, "member": None, "degraded": []}
    front.gateway.answer = gateway(
        {"GET /api/checkout": screen, "POST /api/orders": refused, "GET /api/cart": CART}
    )
    assert (await send(front, "/checkout", TYPED))[:2] == (303, place)
    _, text = await look(front, "/cart?done=unpayable")
    assert "No card can be charged this total" in text


async def test_an_address_of_a_book_that_cannot_be_read_is_not_guessed(front: Front) -> None:
    await front.sign_in()
    screen: dict[str, Any] = {"cart": CART, "member": None, "degraded": ["member"]}
    front.gateway.answer = gateway({"GET /api/checkout": screen})
    status, _, text = await send(front, "/checkout", {**TYPED, "where": name_of(BOOK["addresses"][0])})
    assert status == 503 and "saved addresses cannot be shown" in text
    assert all(seen.target != "/api/orders" for seen in front.gateway.seen)


BOOK = {
    "id": PRODUCT["id"],
    "version": 1,
    "name": "Minji",
    "email": "minji@example.com",
    "phone": None,
    "addresses": [
        {
            "recipient": "Amy",
            "line1": "1 Main St",
            "line2": "",
            "city": "Boston",
            "postal_code": "02101",
            "country": "US",
        },
        {
            "recipient": "Aoi",
            "line1": "1-1 Chiyoda",
            "line2": "",
            "city": "Tokyo",
            "postal_code": "100-0001",
            "country": "JP",
        },
    ],
}


async def test_an_address_is_chosen_by_what_is_in_it_wherever_it_stands_by_now(front: Front) -> None:
    """Who removed another one in a second tab had the order sent to the one after the chosen one."""
    await front.sign_in()
    first, second = BOOK["addresses"]
    text = ""
    for left, status in ((second, 303), (first, 409)):
        screen: dict[str, Any] = {"cart": CART, "member": {**BOOK, "addresses": [left]}, "degraded": []}
        placed = {"id": PRODUCT["id"], "status": 201}
        front.gateway.answer = gateway({"GET /api/checkout": screen, "POST /api/orders": placed})
        answered, _, text = await send(front, "/checkout", {**TYPED, "where": name_of(second)})
        assert answered == status
    [order] = [seen for seen in front.gateway.seen if seen.target == "/api/orders"]
    assert json.loads(order.body)["address"]["city"] == "Tokyo"
    assert "changed or removed meanwhile" in text


async def test_a_total_that_is_no_number_breaks_no_page(front: Front) -> None:
    guest(front)
    screen: dict[str, Any] = {"cart": CART, "member": None, "degraded": []}
    changed = {"type": "/problems/cart-changed", "cart": CART, "status": 409}
    front.gateway.answer = gateway({"GET /api/checkout": screen, "POST /api/orders": changed})
    for total in ("\u00b2", "\u0663", "-1", "1e0"):
        assert (await send(front, "/checkout", {**TYPED, "expected_total": total}))[0] == 409


@pytest.mark.parametrize(("full", "offered"), [(0, True), (1, False)])
async def test_an_address_is_offered_to_be_kept_while_the_book_has_room(
    front: Front, full: int, offered: bool
) -> None:
    await front.sign_in()
    addresses = BOOK["addresses"][:1] * (MAX_ADDRESSES - 1 + full)
    screen: dict[str, Any] = {"cart": CART, "member": {**BOOK, "addresses": addresses}, "degraded": []}
    front.gateway.answer = gateway({"GET /api/checkout": screen})
    assert ('name="save_address"' in (await look(front, "/checkout"))[1]) == offered


async def test_a_shop_that_sends_to_one_country_asks_for_none(front: Front) -> None:
    guest(front)
    screen: dict[str, Any] = {"cart": CART, "member": None, "degraded": []}
    front.gateway.answer = gateway({"GET /api/checkout": screen})
    async with front.browser.get(f"{front.url}/checkout") as answer:
        text = await answer.text()
    assert '<input type="hidden" name="country" value="KR">' in text
    assert '<select id="f-country"' not in text


@pytest.mark.parametrize(("language", "name"), [("en", "Japan"), ("ko", "일본")])
async def test_a_shop_that_sends_to_several_countries_asks_where(
    front: Front, language: str, name: str
) -> None:
    await front.sign_in()
    screen: dict[str, Any] = {"cart": {**CART, "countries": ["KR", "JP"]}, "member": BOOK, "degraded": []}
    front.gateway.answer = gateway({"GET /api/checkout": screen})
    async with front.browser.get(f"{front.url}/checkout", headers={"Accept-Language": language}) as answer:
        text = await answer.text()
    assert f'<option value="JP" >{name}</option>' in text
    first, second = (f'name="where" value="{name_of(address)}"' for address in BOOK["addresses"])
    assert f"{first}  disabled" in text, "the shop does not send to the first of the book"
    assert f"{second} checked" in text


@pytest.mark.parametrize(
    ("country", "typed", "sent"),
    [("KR", "010-1234-5678", "+821012345678"), ("JP", "090-1234-5678", "090-1234-5678")],
)
async def test_a_number_that_begins_with_0_is_a_korean_one_in_korea_alone(
    front: Front, country: str, typed: str, sent: str
) -> None:
    guest(front)
    screen: dict[str, Any] = {"cart": {**CART, "countries": ["KR", "JP"]}, "member": None, "degraded": []}
    front.gateway.answer = gateway(
        {"GET /api/checkout": screen, "POST /api/orders": {"id": PRODUCT["id"], "status": 201}}
    )
    assert (await send(front, "/checkout", {**TYPED, "country": country, "phone": typed}))[0] == 303
    [order] = [seen for seen in front.gateway.seen if seen.target == "/api/orders"]
    address = json.loads(order.body)["address"]
    assert (address["country"], address["phone"]) == (country, sent)


async def test_a_country_that_the_shop_does_not_send_to_is_said_where_no_field_shows_it(front: Front) -> None:
    await front.sign_in()
    screen: dict[str, Any] = {"cart": CART, "member": BOOK, "degraded": []}
    refused = {"status": 400, "errors": [{"field": "address.country", "code": "not_allowed", "message": ""}]}
    front.gateway.answer = gateway({"GET /api/checkout": screen, "POST /api/orders": refused})
    status, _, text = await send(front, "/checkout", {**TYPED, "where": name_of(BOOK["addresses"][0])})
    assert status == 400
    assert '<p class="error">Please choose one from the list.</p>' in text
