"""How orders end that are not delivered: money is asked before stock is free, and late news move nothing back."""

from datetime import timedelta
from uuid import UUID

from services.chassis.postgres import Database
from services.order.settings import Settings
from tests.stores.order.shop import Shop


async def test_sold_out_ends_the_order_and_nobody_pays(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim, lee = shop.member(), shop.member()
    carts = await shop.put(kim, "SHOE-250", 5), await shop.put(lee, "SHOE-250", 5)
    shop.catalog.holding = False  # until both are placed
    ids = [
        UUID((await shop.place(who, cart)).json()["id"]) for who, cart in zip((kim, lee), carts, strict=True)
    ]
    shop.catalog.holding = True
    states = {
        (await shop.becomes(who, id_, "held", "sold_out"))["state"]
        for who, id_ in zip((kim, lee), ids, strict=True)
    }
    assert states == {"held", "sold_out"}
    answers = [await shop.pay(who, id_) for who, id_ in zip((kim, lee), ids, strict=True)]
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_hazard_7_a_shopper_is_not_blocked_by_the_own_hold(shop: Shop) -> None:
    """The last one is held by the order, and paying it, twice, uses that hold."""
    shop.catalog.sell("SHOE-250", 60_000, 1)
    kim = shop.member()
    id_ = await shop.placed(kim)
    await shop.becomes(kim, id_, "held")
    assert shop.catalog.of("SHOE-250").available == 0
    first, second = await shop.pay(kim, id_), await shop.pay(kim, id_)
    assert first.json() == second.json()
    await shop.report(id_, shop.payment.authorise(id_))
    await shop.becomes(kim, id_, "paid")


async def test_hazard_12_and_17_reports_twice_late_and_in_any_order_move_nothing_back(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    id_ = await shop.paid(kim)
    for state in ("authorised", "session_open", "failed", "captured"):
        answer = await shop.report(id_, shop.payment.report(id_, state=state))
        assert answer.status_code == 204
        assert (await shop.order(kim, id_))["state"] == "paid"
    shown = (await shop.order(kim, id_))["payment"]
    await shop.report(id_, shop.payment.report(id_, state="new", captured=0), sequence=1)
    assert (await shop.order(kim, id_))["payment"] == shown


async def test_hazard_14_what_is_under_way_moves_no_order_on(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    id_ = await shop.placed(kim)
    await shop.becomes(kim, id_, "held")
    await shop.pay(kim, id_)
    for state in ("new", "session_open", "capturing", "voiding", "refunding"):
        assert (await shop.report(id_, shop.payment.report(id_, state=state))).status_code == 204
        assert (await shop.order(kim, id_))["state"] == "paying"
    assert (await shop.report(id_, shop.payment.report(id_, state="processing"))).status_code == 400
    await shop.report(id_, shop.payment.authorise(id_))
    await shop.becomes(kim, id_, "paid")


async def test_hazard_16_a_failed_payment_ends_the_order_only_while_it_is_paid(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    id_ = await shop.placed(kim)
    await shop.becomes(kim, id_, "held")
    await shop.pay(kim, id_)
    await shop.report(id_, shop.payment.report(id_, state="failed"))
    ended = await shop.becomes(kim, id_, "declined")
    assert ended["reason"] == "declined"
    assert (shop.catalog.of("SHOE-250").on_hand, shop.catalog.of("SHOE-250").reserved) == (5, 0)


async def test_cancelling_asks_payment_first_and_then_frees_the_stock(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    id_ = await shop.placed(kim)
    await shop.becomes(kim, id_, "held")
    shop.payment.down = True
    assert (await shop.api.post(f"/api/orders/{id_}/cancel", headers=kim)).json()["state"] == "closing"
    assert shop.catalog.of("SHOE-250").reserved == 1
    shop.payment.down = False
    await shop.becomes(kim, id_, "cancelled")
    assert shop.catalog.of("SHOE-250").reserved == 0
    assert shop.payment.payments[id_]["state"] == "voided"
    again = await shop.api.post(f"/api/orders/{id_}/cancel", headers=kim)
    assert (again.status_code, again.json()["state"]) == (409, "cancelled")


async def test_hazard_18_money_of_a_paid_order_goes_back_when_it_is_cancelled(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    id_ = await shop.paid(kim)
    assert shop.catalog.of("SHOE-250").on_hand == 4
    await shop.api.post(f"/api/orders/{id_}/cancel", headers=kim)
    await shop.becomes(kim, id_, "refunded")
    assert shop.payment.payments[id_]["refunded"] == 60_000
    while shop.catalog.of("SHOE-250").on_hand != 5:
        await shop.order(kim, id_)


async def test_hazard_10_and_11_an_unpaid_hold_closes_in_time_whatever_was_tried(
    shop: Shop, settings: Settings
) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim, lee = shop.member(), shop.member()
    unpaid, paid = await shop.placed(kim), await shop.paid(lee)
    await shop.becomes(kim, unpaid, "held")
    await shop.pay(kim, unpaid)
    await _pass(settings, timedelta(hours=1))
    ended = await shop.becomes(kim, unpaid, "expired")
    assert ended["reason"] == "expired"
    assert (await shop.events(kim, unpaid))[-3:] == ["hold_expired", "money_released", "stock_released"]
    assert (await shop.order(lee, paid))["state"] == "paid"
    assert shop.payment.payments[unpaid]["state"] == "voided"
    assert shop.catalog.of("SHOE-250").reserved == 0


async def test_expiry_frees_nothing_while_payment_does_not_answer(shop: Shop, settings: Settings) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 5)
    kim = shop.member()
    id_ = await shop.placed(kim)
    await shop.becomes(kim, id_, "held")
    await shop.pay(kim, id_)
    shop.payment.down = True
    await _pass(settings, timedelta(hours=1))
    await shop.becomes(kim, id_, "closing")
    asked = len(shop.payment.asked)
    while len(shop.payment.asked) < asked + 2:  # it is asked again and again
        assert (await shop.order(kim, id_))["state"] == "closing"
    assert shop.catalog.of("SHOE-250").reserved == 1
    shop.payment.down = False
    await shop.becomes(kim, id_, "expired")


async def _pass(settings: Settings, time: timedelta) -> None:
    """As if all orders had been placed so much earlier."""
    database = Database(settings.database_url, application="tests", pool_max=2)
    async with database.lifespan(), database.transaction() as connection:
        await connection.execute("UPDATE orders SET hold_until = hold_until - $1::interval", time)
