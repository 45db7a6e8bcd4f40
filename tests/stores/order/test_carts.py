"""A cart of a member or a guest: today's prices, and nothing doubled when the two meet."""

import asyncio
from typing import Any

from httpx import Response

from tests.stores.order.shop import Shop


async def merge(shop: Shop, member: dict[str, str], guest: dict[str, str]) -> Response:
    token = guest["Authorization"].removeprefix("Bearer ")
    return await shop.api.post("/api/cart/merge", json={"guest_token": token}, headers=member)


def quantities(cart: dict[str, Any]) -> dict[str, int]:
    return {line["sku"]: line["quantity"] for line in cart["lines"]}


async def test_hazard_24_an_item_is_in_a_cart_once_however_often_it_is_put(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim = shop.member()
    answers = await asyncio.gather(*(shop.put(kim, "SHOE-250", 2) for _ in range(10)))
    assert [quantities(cart) for cart in answers] == [{"SHOE-250": 2}] * 10
    assert len({cart["version"] for cart in answers}) == 10


async def test_two_items_put_at_once_into_no_cart_are_in_one(shop: Shop) -> None:
    skus = [f"SHOE-{size}" for size in range(220, 300, 10)]
    for sku in skus:
        shop.catalog.sell(sku, 60_000, 50)
    kim = shop.member()
    await asyncio.gather(*(shop.put(kim, sku, 1) for sku in skus))
    cart = (await shop.api.get("/api/cart", headers=kim)).json()
    assert quantities(cart) == dict.fromkeys(skus, 1)


async def test_putting_an_item_asks_for_prices_once(shop: Shop) -> None:
    for sku in ("SHOE-250", "SHOE-260"):
        shop.catalog.sell(sku, 60_000, 50)
    kim = shop.member()
    await shop.put(kim, "SHOE-250", 1)
    shop.catalog.asked.clear()
    cart = await shop.put(kim, "SHOE-260", 2)
    assert (quantities(cart), cart["items"]) == ({"SHOE-250": 1, "SHOE-260": 2}, 180_000)
    assert [path for _, path, _ in shop.catalog.asked] == ["/internal/quotes"]


async def test_hazard_24_merging_sums_once_and_is_keyed_by_the_guests_cart(shop: Shop) -> None:
    for sku in ("SHOE-250", "SHOE-260"):
        shop.catalog.sell(sku, 60_000, 50)
    kim, guest = shop.member(), shop.guest()
    await shop.put(kim, "SHOE-250", 1)
    await shop.put(guest, "SHOE-250", 2)
    await shop.put(guest, "SHOE-260", 1)

    answers = await asyncio.gather(*(merge(shop, kim, guest) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    cart = (await merge(shop, kim, guest)).json()
    assert quantities(cart) == {"SHOE-250": 3, "SHOE-260": 1}
    assert (await shop.api.get("/api/cart", headers=guest)).json()["lines"] == []

    # What the guest puts into a new cart afterwards comes along once as well.
    await shop.put(guest, "SHOE-260", 4)
    assert quantities((await merge(shop, kim, guest)).json()) == {"SHOE-250": 3, "SHOE-260": 5}


async def test_ordering_again_takes_nothing_out_of_a_cart_and_adds_it_once(shop: Shop) -> None:
    for sku in ("SHOE-250", "SHOE-260", "GONE"):
        shop.catalog.sell(sku, 60_000, 50)
    kim = shop.member()
    for sku, quantity in (("SHOE-250", 3), ("SHOE-260", 1)):
        await shop.put(kim, sku, quantity)
    id_ = await shop.placed(kim, "GONE", 1)
    await shop.put(kim, "SHOE-250", 1)
    await shop.put(kim, "SHOE-260", 5)
    del shop.catalog.prices["GONE"]
    path = f"/api/orders/{id_}/again"
    answers = await asyncio.gather(*(shop.api.post(path, headers=kim) for _ in range(3)))
    answers.append(await shop.api.post(path, headers=kim))  # back, and once more
    for answer in answers:
        assert (answer.status_code, answer.json()["left_out"]) == (200, ["GONE"])
        assert quantities(answer.json()["cart"]) == {"SHOE-250": 3, "SHOE-260": 5}
    assert len({answer.json()["cart"]["version"] for answer in answers}) == 1, "an open checkout stays good"
    for other in (shop.member(), shop.guest(), shop.admin()):
        assert (await shop.api.post(path, headers=other)).status_code == 404
    shop.catalog.prices.clear()
    assert (await shop.api.post(path, headers=kim)).json()["left_out"] == ["SHOE-250", "SHOE-260", "GONE"]


async def test_only_a_guests_cart_comes_along_and_only_to_a_member(shop: Shop) -> None:
    kim, lee, guest = shop.member(), shop.member(), shop.guest()
    for caller, other in ((kim, lee), (guest, kim), (kim, {"Authorization": "Bearer forged"})):
        assert (await merge(shop, caller, other)).status_code == 403


async def test_hazard_23_prices_are_todays_and_changes_are_named(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim = shop.member()
    assert (await shop.put(kim, "SHOE-250", 1))["changes"] == []
    shop.catalog.prices["SHOE-250"] = 70_000
    for _ in range(2):  # looking at it changes nothing, in any number of tabs
        cart = (await shop.api.get("/api/cart", headers=kim)).json()
        assert (cart["items"], cart["total"]) == (70_000, 70_000)
        assert cart["changes"] == [{"sku": "SHOE-250", "before": 60_000, "now": 70_000}]
    assert (await shop.put(kim, "SHOE-250", 2))["changes"] == []


async def test_shipping_is_free_from_an_amount_on_and_empty_carts_cost_nothing(shop: Shop) -> None:
    shop.catalog.sell("SOCKS", 10_000, 50)
    kim = shop.member()
    assert (await shop.api.get("/api/cart", headers=kim)).json()["total"] == 0
    cart = await shop.put(kim, "SOCKS", 1)
    assert (cart["items"], cart["shipping"], cart["total"]) == (10_000, 3_000, 13_000)
    cart = await shop.put(kim, "SOCKS", 5)
    assert (cart["items"], cart["shipping"], cart["total"]) == (50_000, 0, 50_000)


async def test_what_cannot_be_had_is_named_and_what_is_not_sold_is_not_put(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 1)
    kim = shop.member()
    cart = await shop.put(kim, "SHOE-250", 3)
    assert cart["unavailable"] == [{"sku": "SHOE-250", "reason": "too_few", "left": 1}]
    answer = await shop.api.put("/api/cart/items/NOTHING", json={"quantity": 1}, headers=kim)
    assert answer.status_code == 404
    assert (await shop.api.delete("/api/cart/items/NOTHING", headers=kim)).status_code == 404
    assert (await shop.api.delete("/api/cart/items/SHOE-250", headers=kim)).json()["lines"] == []


async def test_without_catalog_nothing_is_priced_and_the_cart_is_kept(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    await shop.put(kim, "SHOE-250", 2)
    shop.catalog.down = True
    answer = await shop.api.get("/api/cart", headers=kim)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    shop.catalog.down = False
    assert quantities((await shop.api.get("/api/cart", headers=kim)).json()) == {"SHOE-250": 2}
