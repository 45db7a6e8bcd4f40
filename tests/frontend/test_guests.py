"""Carts, and what the front does for somebody without an account."""

import json

import pytest

from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token
from tests.frontend.shopping import CART, LINE, PAGE, PRODUCT, Said, gateway, guest, look, send


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


@pytest.mark.parametrize(("there", "outcome"), [(98, "added"), (99, "no_more"), (198, "no_more")])
async def test_adding_never_takes_anything_out_of_a_cart(front: Front, there: int, outcome: str) -> None:
    """A member's cart and a guest's may come to more than the pages let anybody choose."""
    guest(front)
    cart = {**CART, "lines": [{**LINE, "quantity": there}]}
    answers: dict[str, Said] = {"GET /api/products/shoe": PRODUCT, "GET /api/cart": cart}
    front.gateway.answer = gateway({**answers, "PUT /api/cart/items/SHOE": cart})
    assert (await send(front, "/cart/items", {"slug": "shoe", "quantity": "5"}))[:2] == (
        303,
        f"/products/shoe?done={outcome}",
    )
    puts = [json.loads(seen.body)["quantity"] for seen in front.gateway.seen if seen.method == "PUT"]
    assert puts == ([99] if outcome == "added" else [])
    status, text = await look(front, "/products/shoe?done=no_more")
    assert (status, "as many of this" in text) == (200, True)


async def test_nothing_is_put_into_a_cart_that_cannot_be_read(front: Front) -> None:
    """Only a whole number can be put there: five shoes would become one."""
    guest(front)
    answers: dict[str, Said] = {"GET /api/products/shoe": PRODUCT, "GET /api/cart": 503}
    front.gateway.answer = gateway({**answers, "PUT /api/cart/items/SHOE": CART})
    status, place, _ = await send(front, "/cart/items", {"slug": "shoe", "quantity": "1"})
    assert (status, place) == (303, "/products/shoe?done=try_again")
    assert not [seen for seen in front.gateway.seen if seen.method == "PUT"]


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


@pytest.mark.parametrize("sku", ["", "../../orders", "A/B", ".."])
async def test_only_a_sku_is_changed_in_a_cart(front: Front, sku: str) -> None:
    guest(front)
    status, place, _ = await send(front, "/cart/change", {"sku": sku, "remove": "yes"})
    assert (status, place) == (303, "/cart?done=failed")
    assert front.gateway.seen == []
