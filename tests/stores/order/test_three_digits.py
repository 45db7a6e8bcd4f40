"""A shop in dinars: cards are charged in tens of fils, and nothing else is ordered or given back (hazard 22)."""

import msgspec
import pytest

from services.order.settings import Settings
from tests.stores.order.shop import Shop
from tests.stores.order.test_refunds import refund, settled


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(
        settings, store_currency="KWD", shipping_fee=1_250, shipping_free_from=20_000
    )


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.catalog.currency = "KWD"
    return shop


async def test_a_sum_that_no_card_is_charged_is_not_ordered(shop: Shop) -> None:
    """Catalog refuses such a price; one may be of a time before it did."""
    shop.catalog.sell("SOCKS", 3_335, 10)
    kim = shop.member()
    one = await shop.place(kim, await shop.put(kim, "SOCKS", 1))
    assert (one.status_code, "cannot be paid" in one.json()["detail"]) == (409, True)
    assert (await shop.place(kim, await shop.put(kim, "SOCKS", 2))).status_code == 201


async def test_only_what_can_be_given_back_is_admitted(shop: Shop) -> None:
    shop.catalog.sell("SOCKS", 3_330, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 2)
    asked = {"reason": "goodwill", "amount": 1_005}
    path = f"/api/orders/{id_}/refunds/preview"
    preview = await shop.api.post(path, json=asked, headers=shop.admin())
    for refused in (preview, await refund(shop, id_, amount=1_005)):
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["field"], error["code"]) == (400, "amount", "not_chargeable")
        assert error["params"] == {"step": 10}
    assert (await refund(shop, id_, amount=1_010)).status_code == 201
    last = await refund(shop, id_, lines=[{"line": 1, "quantity": 2}], shipping=True)
    assert last.json()["amount"] == 2 * 3_330 + 1_250 - 1_010
    assert [state for _, state in await settled(shop, kim, id_)] == ["done", "done"]


async def test_goods_of_an_odd_price_are_given_back_as_they_can_be(shop: Shop) -> None:
    """Two of them made a sum that was charged; one alone is none that a card can be given back."""
    shop.catalog.sell("SOCKS", 3_335, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 2)
    refused = await refund(shop, id_, lines=[{"line": 1, "quantity": 1}], shipping=False)
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["field"], error["code"]) == (400, "lines", "not_chargeable")
    assert (await refund(shop, id_, lines=[{"line": 1, "quantity": 2}], shipping=False)).status_code == 201
    assert [state for _, state in await settled(shop, kim, id_)] == ["done"]
