"""A shop in dollars: no card is charged less than fifty cents or more than eight digits, so neither is ordered."""

import msgspec
import pytest

from services.order.settings import Settings
from tests.stores.order.shop import Shop


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, store_currency="USD", shipping_fee=0)


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.catalog.currency = "USD"
    return shop


@pytest.mark.parametrize(
    ("price", "quantity", "another"), [(49, 1, 2), (50_000_000, 2, 1)], ids=["too little", "too much"]
)
async def test_a_sum_that_no_card_is_charged_is_refused_before_it_is_an_order(
    shop: Shop, price: int, quantity: int, another: int
) -> None:
    shop.catalog.sell("THING", price, 10)
    kim = shop.member()
    refused = await shop.place(kim, await shop.put(kim, "THING", quantity))
    assert (refused.status_code, "cannot be paid" in refused.json()["detail"]) == (409, True)
    assert (await shop.place(kim, await shop.put(kim, "THING", another))).status_code == 201
