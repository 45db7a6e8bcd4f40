"""An order is placed once, for exactly what was seen, whatever is clicked twice, repeated or changed meanwhile."""

import asyncio
from uuid import UUID, uuid4

import pytest

from tests.stores.order.shop import ADDRESS, Shop


async def test_a_double_click_is_one_order_with_one_answer(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim = shop.member()
    cart, key = await shop.put(kim, "SHOE-250", 1), str(uuid4())
    answers = await asyncio.gather(*(shop.place(kim, cart, key) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.content for answer in answers}) == 1
    assert (await shop.place(kim, cart, key)).headers["Idempotent-Replayed"] == "true"
    assert len((await shop.api.get("/api/orders", headers=kim)).json()["items"]) == 1


async def test_a_second_tab_is_told_the_order_of_the_first(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim = shop.member()
    cart = await shop.put(kim, "SHOE-250", 1)
    answers = await asyncio.gather(*(shop.place(kim, cart) for _ in range(6)))
    (placed,) = [answer for answer in answers if answer.status_code == 201]
    others = [answer for answer in answers if answer is not placed]
    assert {answer.status_code for answer in others} == {409}
    for answer in [*others, await shop.place(kim, cart)]:
        problem = answer.json()
        assert problem["type"] == "/problems/cart-ordered"
        assert problem["order_id"] == placed.json()["id"]


async def test_a_back_button_does_not_order_the_next_cart(shop: Shop) -> None:
    """The page of the cart before says another version, also where the next one costs the same."""
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim = shop.member()
    before = await shop.put(kim, "SHOE-250", 1)
    first = await shop.place(kim, before)
    after = await shop.put(kim, "SHOE-250", 1)
    assert after["version"] != before["version"]
    assert (await shop.place(kim, before)).json()["order_id"] == first.json()["id"]
    assert (await shop.place(kim, after)).status_code == 201


async def test_hazard_23_another_total_is_refused_with_the_cart_as_it_is_now(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim = shop.member()
    cart = await shop.put(kim, "SHOE-250", 1)
    shop.catalog.prices["SHOE-250"] = 70_000
    answer = await shop.place(kim, cart)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/cart-changed")
    shown = answer.json()["cart"]
    assert (shown["total"], shown["version"]) == (70_000, cart["version"])
    placed = await shop.place(kim, shown)
    assert (placed.status_code, placed.json()["total"]) == (201, 70_000)


async def test_a_cart_that_changed_meanwhile_is_refused(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim = shop.member()
    old = await shop.put(kim, "SHOE-250", 1)
    new = await shop.put(kim, "SHOE-250", 2)
    answer = await shop.place(kim, old)
    assert (answer.status_code, answer.json()["cart"]["version"]) == (409, new["version"])


async def test_what_cannot_be_had_is_not_ordered(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    cart = await shop.put(kim, "SHOE-250", 5)
    shop.catalog.sell("SHOE-250", 60_000, 4)
    answer = await shop.place(kim, cart)
    assert answer.status_code == 409
    assert answer.json()["cart"]["unavailable"] == [{"sku": "SHOE-250", "reason": "too_few", "left": 4}]


async def test_a_key_is_required_and_an_empty_cart_is_no_order(shop: Shop) -> None:
    kim = shop.member()
    body = {"cart_version": 1, "expected_total": 0, "address": ADDRESS}
    answer = await shop.api.post("/api/orders", json=body, headers=kim)
    assert (answer.status_code, answer.json()["type"]) == (428, "/problems/idempotency-key-required")
    answer = await shop.api.post("/api/orders", json=body, headers={**kim, "Idempotency-Key": "empty"})
    assert answer.status_code == 409


async def test_wrong_values_are_named_all_at_once(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    cart = await shop.put(kim, "SHOE-250", 1)
    address = ADDRESS | {"country": "FR", "recipient": " ", "phone": "010"}
    answer = await shop.place(kim, cart, address=address, email="nobody")
    assert answer.status_code == 400
    assert {(error["field"], error["code"]) for error in answer.json()["errors"]} == {
        ("address.country", "not_allowed"),
        ("address.recipient", "blank"),
        ("address.phone", "invalid_phone"),
        ("email", "invalid_email"),
    }


async def test_a_member_may_leave_the_address_of_the_account_out_and_a_guest_may_not(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim, guest = shop.member(email="kim@shop.test"), shop.guest()
    placed = await shop.place(kim, await shop.put(kim, "SHOE-250", 1), email=None)
    assert placed.json()["email"] == "kim@shop.test"
    refused = await shop.place(guest, await shop.put(guest, "SHOE-250", 1), email=None)
    assert [(error["field"], error["code"]) for error in refused.json()["errors"]] == [("email", "required")]


async def test_an_empty_form_is_told_of_every_field_at_once(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    guest = shop.guest()
    empty = dict.fromkeys(ADDRESS, "") | {"country": "KR"}
    refused = await shop.place(guest, await shop.put(guest, "SHOE-250", 1), address=empty, email=None)
    assert {error["field"]: error["code"] for error in refused.json()["errors"]} == {
        "email": "required",
        **{f"address.{field}": "blank" for field in ("recipient", "phone", "line1", "city", "postal_code")},
    }


async def test_hazard_26_an_order_is_a_copy(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    id_ = await shop.placed(kim, "SHOE-250", 2)
    before = await shop.becomes(kim, id_, "held")
    shop.catalog.prices["SHOE-250"] = 1
    shop.catalog.down = True
    after = await shop.order(kim, id_)
    assert (after["lines"], after["address"], after["total"]) == (
        before["lines"],
        before["address"],
        before["total"],
    )
    assert (after["lines"][0]["vat_rate"], after["lines"][0]["unit_price"]) == (1000, 60_000)


async def test_hazard_25_numbers_are_taken_once_and_orders_of_others_are_not_there(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    shoppers = [shop.member() for _ in range(6)]
    ids = await asyncio.gather(*(shop.placed(who) for who in shoppers))
    numbers = [(await shop.order(who, id_))["number"] for who, id_ in zip(shoppers, ids, strict=True)]
    assert len(set(numbers)) == 6
    for path in ("", "/events"):
        assert (await shop.api.get(f"/api/orders/{ids[0]}{path}", headers=shoppers[1])).status_code == 404
        assert (await shop.api.get(f"/api/orders/{uuid4()}{path}", headers=shoppers[1])).status_code == 404
    assert (await shop.pay(shoppers[1], ids[0])).status_code == 404
    assert (await shop.api.post(f"/api/orders/{ids[0]}/cancel", headers=shoppers[1])).status_code == 404


async def test_hazard_9_and_13_placing_needs_no_peer_and_nothing_is_lost(shop: Shop) -> None:
    """The order is there before anybody else hears of it; catalog may be away as long as it likes."""
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    cart = await shop.put(kim, "SHOE-250", 1)
    shop.payment.down = True
    placed = await shop.place(kim, cart)
    id_ = UUID(placed.json()["id"])
    assert (await shop.order(kim, id_))["state"] in {"placed", "held"}
    await shop.becomes(kim, id_, "held")
    refused = await shop.pay(kim, id_)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    shop.payment.down = False
    assert (await shop.pay(kim, id_)).status_code == 200


async def test_hazard_28_pages_neither_skip_nor_repeat(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim = shop.member()
    ids = [str(await shop.placed(kim)) for _ in range(5)]
    seen, cursor = [], ""
    while True:
        query = f"?limit=2{f'&cursor={cursor}' if cursor else ''}"
        page = (await shop.api.get(f"/api/orders{query}", headers=kim)).json()
        seen += [order["id"] for order in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


@pytest.mark.parametrize("lang", ["ko\n", "ko ", "KO", "fr", ""])
async def test_a_language_that_payment_would_refuse_is_refused_before_anything_is_held(
    shop: Shop, lang: str
) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    guest = shop.guest()
    cart = await shop.put(guest, "SHOE-250", 1)
    refused = await shop.place(guest, cart, lang=lang)
    assert (refused.status_code, refused.json().get("errors", [{}])[0].get("field")) == (400, "lang")


async def test_goods_go_to_every_country_that_the_cart_names(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    cart = await shop.put(kim, "SHOE-250", 1)
    assert cart["countries"] == ["KR", "JP"]
    abroad = {"country": "JP", "postal_code": "100-0001", "city": "Tokyo", "phone": "+81 90-1234-5678"}
    order = await shop.order(kim, await shop.placed(kim, address=ADDRESS | abroad))
    assert order["address"].items() >= (ADDRESS | abroad | {"phone": "+819012345678"}).items()
