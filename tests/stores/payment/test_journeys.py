"""A payment from the order's wish to the ledger, and back, against the sandbox provider."""

from uuid import uuid4

from tests.stores.payment.world import AUTHENTICATED_CARD, DECLINED_CARD, Shop


async def test_an_order_is_paid(shop: Shop) -> None:
    order = uuid4()
    made = await shop.want(order, "authorise", wait=True)
    assert made["state"] == "session_open"
    page = await shop.sandbox.browser.get(made["session_url"])
    assert "39,000 KRW" in page.text
    assert "2026-000001" in page.text

    paid = await shop.sandbox.pay(made["session_url"])
    assert (paid.status_code, paid.headers["location"]) == (303, "https://shop.test/orders/1")
    assert await shop.until_told(order, "authorised") | {"occurred_at": ""} == {
        "state": "authorised",
        "authorised": 39_000,
        "captured": 0,
        "refunded": 0,
        "refund_pending": 0,
        "refunds": [],
        "occurred_at": "",
    }

    await shop.want(order, "capture")
    await shop.until_told(order, "captured", captured=39_000)
    found = await shop.get(order)
    assert [(entry["account"], entry["amount"]) for entry in found["ledger"]] == [
        ("provider", 39_000),
        ("sales", -39_000),
    ]
    assert (await shop.sandbox.charge_of(order))["captured"] == 39_000
    assert found["session_url"] is None


async def test_a_page_is_made_in_the_background_as_well(shop: Shop) -> None:
    order = uuid4()
    await shop.want(order, "authorise")
    found = await shop.until(order, "session_open")
    again = await shop.want(order, "authorise", wait=True)
    assert again["session_url"] == found["session_url"]


async def test_a_declined_card_leaves_the_page_open_for_another(shop: Shop) -> None:
    order = uuid4()
    url = (await shop.want(order, "authorise", wait=True))["session_url"]
    declined = await shop.sandbox.pay(url, DECLINED_CARD)
    assert declined.status_code == 402
    assert "declined" in declined.text
    assert (await shop.sandbox.pay(url)).status_code == 303
    await shop.until(order, "authorised")


async def test_a_card_that_asks_for_authentication_is_paid_after_it(shop: Shop) -> None:
    order = uuid4()
    url = (await shop.want(order, "authorise", wait=True))["session_url"]
    asked = await shop.sandbox.pay(url, AUTHENTICATED_CARD)
    assert (asked.status_code, "/authenticate" in asked.text) == (200, True)
    refused = await shop.sandbox.browser.post(f"{url}/authenticate", data={"answer": "no"})
    assert refused.status_code == 402
    agreed = await shop.sandbox.browser.post(f"{url}/authenticate", data={"answer": "yes"})
    assert agreed.status_code == 303
    await shop.until(order, "authorised")


async def test_an_order_that_is_not_to_be_gives_the_promised_money_up(shop: Shop) -> None:
    order = await shop.authorised()
    await shop.want(order, "void")
    await shop.until_told(order, "voided", captured=0)
    assert (await shop.sandbox.charge_of(order))["status"] == "canceled"
    assert (await shop.get(order))["ledger"] == []


async def test_a_page_of_an_order_that_is_not_to_be_is_closed(shop: Shop) -> None:
    order = uuid4()
    url = (await shop.want(order, "authorise", wait=True))["session_url"]
    await shop.want(order, "void")
    await shop.until_told(order, "voided")
    assert (await shop.sandbox.pay(url)).status_code == 410


async def test_an_order_first_heard_of_by_its_void_is_over_without_a_call(shop: Shop) -> None:
    await shop.sandbox.control("PUT", "outage", on=True)
    order = uuid4()
    assert (await shop.want(order, "void"))["state"] == "voided"
    assert (await shop.want(order, "authorise", wait=True))["state"] == "voided"
    await shop.until_told(order, "voided")


async def test_a_void_that_finds_collected_money_gives_it_back(shop: Shop) -> None:
    order = await shop.captured()
    await shop.want(order, "void")
    await shop.until_told(order, "refunded", captured=39_000, refunded=39_000)
    assert sum(entry["amount"] for entry in (await shop.get(order))["ledger"]) == 0
    assert (await shop.sandbox.charge_of(order))["refunded"] == 39_000


async def test_a_part_is_refunded(shop: Shop) -> None:
    order = await shop.captured()
    answer = (await shop.refund(order, 9_000)).json()
    assert (answer["state"], answer["pending"]) == ("pending", 9_000)
    found = await shop.until(order, "captured", refunded=9_000, refund_pending=0)
    assert [(each["state"], each["amount"]) for each in found["refunds"]] == [("done", 9_000)]
    await shop.until_told(order, "captured", refunded=9_000, refund_pending=0)


async def test_terms_never_change(shop: Shop) -> None:
    order = uuid4()
    await shop.want(order, "authorise")
    await shop.want(order, "authorise", status=409, amount=1)
    await shop.want(order, "capture", status=409, currency="USD")


async def test_a_failed_payment_is_tried_again_by_a_new_wish_alone(shop: Shop) -> None:
    order = uuid4()
    first = (await shop.want(order, "authorise", wait=True, sequence=5))["session_url"]
    await shop.sandbox.browser.post(
        f"{shop.sandbox.url}/v1/checkout/sessions/{first.rpartition('/')[2]}/expire",
        headers={"Authorization": "Bearer sk_test_sandbox"},
    )
    await shop.until_told(order, "failed")
    assert (await shop.want(order, "authorise", sequence=5))["state"] == "failed"
    second = await shop.want(order, "authorise", wait=True, sequence=6)
    assert second["session_url"] != first
    assert (await shop.sandbox.pay(second["session_url"])).status_code == 303
    await shop.until(order, "authorised")
