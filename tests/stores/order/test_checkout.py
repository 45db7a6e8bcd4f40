"""A checkout from the cart to the money, against the order service's real database and its peers over HTTP."""

from tests.stores.order.shop import Shop


async def test_a_cart_becomes_a_paid_order(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    id_ = await shop.placed(kim, "SHOE-250", 2)
    await shop.becomes(kim, id_, "held")
    assert shop.catalog.of("SHOE-250").reserved == 2

    page = await shop.pay(kim, id_)
    assert page.json() == {"redirect_url": f"https://pay.test/{id_}"}
    assert (await shop.report(id_, shop.payment.authorise(id_))).status_code == 204
    await shop.becomes(kim, id_, "paid")

    assert (shop.catalog.of("SHOE-250").on_hand, shop.catalog.of("SHOE-250").reserved) == (3, 0)
    assert await shop.events(kim, id_) == [
        "placed",
        "stock_held",
        "pay_requested",
        "payment_authorised",
        "stock_committed",
        "payment_captured",
    ]
