"""Refunds: never more than was collected, never twice, never given up without asking (hazards 19, 20, 22)."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.stores.payment.world import Shop
from tests.waiting import WITHIN


async def test_hazard_19_of_two_that_race_one_is_refused(shop: Shop) -> None:
    order = await shop.captured()
    answers = await asyncio.gather(*(shop.refund(order, 30_000) for _ in range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [409] * 7
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert refused["refundable"] == 9_000
    await shop.until(order, "captured", refunded=30_000, refund_pending=0)
    assert (await shop.sandbox.charge_of(order))["refunded"] == 30_000


async def test_one_id_is_one_refund(shop: Shop) -> None:
    order, refund = await shop.captured(), uuid4()
    answers = await asyncio.gather(*(shop.refund(order, 10_000, refund) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    await shop.until(order, "captured", refunded=10_000, refund_pending=0)
    assert (await shop.refund(order, 10_000, refund)).json()["state"] == "done"
    assert (await shop.refund(order, 9_999, refund)).status_code == 409
    assert (await shop.sandbox.charge_of(order))["refunded"] == 10_000


async def test_nothing_is_given_back_that_was_not_collected(shop: Shop) -> None:
    order = await shop.authorised()
    assert (await shop.refund(order, 1)).status_code == 409
    assert (await shop.refund(uuid4(), 1)).status_code == 404


async def test_hazard_20_a_pending_refund_is_asked_about_and_then_done(shop: Shop) -> None:
    order = await shop.captured()
    await shop.sandbox.control("PUT", "refunds", status="pending")
    await shop.refund(order, 5_000)
    found = await shop.until(order, "captured", refund_pending=5_000, refunded=0)
    assert [entry["movement"] for entry in found["ledger"]] == ["capture"] * 2
    await settle(shop, "succeeded")
    await shop.until_told(order, "captured", refunded=5_000, refund_pending=0)


async def test_a_refund_that_the_bank_sends_back_is_booked_back(shop: Shop) -> None:
    order, id_ = await shop.captured(), uuid4()
    await shop.refund(order, 5_000, id_)
    await shop.until_told(
        order, "captured", refunded=5_000, refunds=[{"refund_id": str(id_), "state": "done"}]
    )
    await settle(shop, "failed")
    await shop.until_told(order, "captured", refunded=0, refunds=[{"refund_id": str(id_), "state": "failed"}])
    found = await shop.until(order, "captured", refunded=0)
    assert [
        (each["movement"], each["amount"]) for each in found["ledger"] if each["account"] == "refunds"
    ] == [
        ("refund", 5_000),
        ("refund_failed", -5_000),
    ]
    # It may be asked for again.
    assert (await shop.refund(order, 39_000)).status_code == 200
    await shop.until(order, "captured", refunded=39_000)


async def test_of_a_cancelled_order_each_refund_that_comes_back_is_given_back_again(shop: Shop) -> None:
    """What the cancellation gives back for them is no failure of its own, of which three are the most."""
    order = await shop.captured()
    for _ in range(3):
        assert (await shop.refund(order, 1_000)).status_code == 200
    await shop.until(order, "captured", refunded=3_000)
    await shop.want(order, "void")
    await shop.until(order, "refunded", refunded=39_000)
    theirs = [each["id"] for each in await refunds(shop) if each["amount"] == 1_000]
    for back, id_ in enumerate(theirs, 1):
        await shop.sandbox.control("POST", f"refunds/{id_}", status="failed")
        async with asyncio.timeout(WITHIN):
            while len((found := await shop.get(order))["refunds"]) < 4 + back or found["state"] != "refunded":
                await asyncio.sleep(0.03)
    assert found["refunded"] == (await shop.sandbox.charge_of(order))["refunded"] == 39_000


async def test_a_refund_made_by_a_person_at_the_provider_is_booked(shop: Shop) -> None:
    order = await shop.captured()
    charge = await shop.sandbox.charge_of(order)
    made = await shop.sandbox.browser.post(
        f"{shop.sandbox.url}/v1/refunds",
        data={"payment_intent": charge["id"], "amount": "700"},
        headers={"Authorization": "Bearer sk_test_sandbox"},
    )
    assert made.status_code == 200
    found = await shop.until(order, "captured", refunded=700)
    assert [each["cause"] for each in found["refunds"]] == ["provider"]
    assert (await shop.refund(order, 38_301)).status_code == 409


async def test_a_dispute_is_recorded_and_booked_and_so_is_its_end(shop: Shop) -> None:
    order = await shop.captured()
    charge = await shop.sandbox.charge_of(order)
    dispute = await shop.sandbox.control("POST", "disputes", payment_intent=charge["id"])
    async with asyncio.timeout(WITHIN):
        while not (found := await shop.get(order))["disputes"]:
            await asyncio.sleep(0.03)
    assert found["state"] == "captured"
    await shop.sandbox.control("POST", f"disputes/{dispute['id']}", status="won")
    async with asyncio.timeout(WITHIN):
        while (found := await shop.get(order))["disputes"][0]["status"] != "won":
            await asyncio.sleep(0.03)
    assert {entry["movement"] for entry in found["ledger"]} == {"capture", "dispute", "dispute_won"}
    assert sum(entry["amount"] for entry in found["ledger"] if entry["account"] == "provider") == 39_000


async def disputed(shop: Shop, order: UUID, amount: int) -> str:
    """The id of a dispute that payment has heard of."""
    charge = await shop.sandbox.charge_of(order)
    dispute = await shop.sandbox.control("POST", "disputes", payment_intent=charge["id"], amount=amount)
    async with asyncio.timeout(WITHIN):
        while not (await shop.get(order))["disputes"]:
            await asyncio.sleep(0.03)
    return str(dispute["id"])


async def test_what_a_bank_has_taken_back_is_not_refunded_as_well(shop: Shop) -> None:
    order = await shop.captured()
    dispute = await disputed(shop, order, 30_000)
    refused = await shop.refund(order, 9_001)
    assert (refused.status_code, refused.json()["refundable"]) == (409, 9_000)
    assert (await shop.refund(order, 9_000)).status_code == 200
    await shop.until(order, "captured", refunded=9_000)
    await shop.sandbox.control("POST", f"disputes/{dispute}", status="won")
    async with asyncio.timeout(WITHIN):
        while (await shop.refund(order, 30_000)).status_code == 409:
            await asyncio.sleep(0.03)
    await shop.until(order, "captured", refunded=39_000)


@pytest.mark.parametrize(("end", "refunded"), [("lost", 9_000), ("won", 39_000)])
async def test_a_cancelled_order_waits_for_the_banks_decision(shop: Shop, end: str, refunded: int) -> None:
    order = await shop.captured()
    dispute = await disputed(shop, order, 30_000)
    await shop.want(order, "void")
    await shop.until(order, "refunding", refunded=9_000, refund_pending=0)
    await shop.sandbox.control("POST", f"disputes/{dispute}", status=end)
    await shop.until_told(order, "refunded", refunded=refunded)
    assert (await shop.sandbox.charge_of(order))["refunded"] == refunded


async def test_a_refund_before_the_dispute_was_heard_of_is_refused_by_the_provider(shop: Shop) -> None:
    order = await shop.captured()
    charge = await shop.sandbox.charge_of(order)
    await shop.sandbox.control("PUT", "webhooks", drop=True)
    dispute = await shop.sandbox.control("POST", "disputes", payment_intent=charge["id"])
    await shop.want(order, "void")
    async with asyncio.timeout(WITHIN):
        while not (found := await shop.get(order))["refunds"] or found["refunds"][0]["state"] != "failed":
            await asyncio.sleep(0.03)
    assert (found["state"], found["refund_pending"]) == ("refunding", 0)
    assert [each["amount"] for each in found["disputes"]] == [39_000]
    await shop.sandbox.control("PUT", "webhooks", drop=False)
    await shop.sandbox.control("POST", f"disputes/{dispute['id']}", status="lost")
    await shop.until_told(order, "refunded", refunded=0)


@pytest.mark.parametrize(
    ("currency", "amount", "at_provider"),
    [("KRW", 39_000, 39_000), ("USD", 1_999, 1_999), ("KWD", 12_340, 12_340), ("ISK", 450, 45_000)],
)
async def test_hazard_22_amounts_are_in_minor_units_of_ours_and_of_the_providers(
    shop: Shop, currency: str, amount: int, at_provider: int
) -> None:
    order = await shop.captured(amount, currency=currency)
    assert (await shop.sandbox.charge_of(order))["captured"] == at_provider
    assert (await shop.get(order))["captured"] == amount


async def test_the_ledger_refuses_what_does_not_sum_to_zero_and_every_change(
    shop: Shop, postgres_url: str
) -> None:
    order = await shop.captured()
    connection = await asyncpg.connect(postgres_url)
    try:
        with pytest.raises(asyncpg.CheckViolationError, match="sum to 5"):
            async with connection.transaction():
                made = await connection.fetchval(
                    "INSERT INTO ledger_transaction (order_id, movement, provider_id, intent_id, currency) "
                    "VALUES ($1, 'capture', 'x', 'x', 'KRW') RETURNING id",
                    order,
                )
                await connection.execute(
                    "INSERT INTO ledger_entry VALUES ($1, 'provider', 10), ($1, 'sales', -5)", made
                )
        for statement in ("UPDATE ledger_entry SET amount = 1", "DELETE FROM ledger_transaction"):
            with pytest.raises(asyncpg.RaiseError, match="append-only"):
                await connection.execute(statement)
    finally:
        await connection.close()


async def settle(shop: Shop, status: str) -> None:
    """The latest refund at the provider, once there is one."""
    async with asyncio.timeout(WITHIN):
        while not (found := await refunds(shop)):
            await asyncio.sleep(0.03)
    await shop.sandbox.control("POST", f"refunds/{found[0]['id']}", status=status)


async def refunds(shop: Shop) -> list[dict[str, Any]]:
    answer = await shop.sandbox.browser.get(
        f"{shop.sandbox.url}/v1/refunds", headers={"Authorization": "Bearer sk_test_sandbox"}
    )
    found: list[dict[str, Any]] = answer.json()["data"]
    return found
