"""Calls whose outcome is not known: lost answers, saved 500s before and after the effect, outages (hazards 15, 20)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from sandbox_provider.settings import DEVELOPMENT_KEY
from services.chassis.postgres import Database
from services.payment.adapters.payments_postgres import PostgresPayments
from services.payment.adapters.reports_postgres import PostgresReports
from services.payment.adapters.stripe_provider import StripeProvider
from services.payment.application.ports import SessionRequest
from services.payment.application.reconciliation import Difference, ReconciliationService
from tests.stores.payment.world import Shop
from tests.waiting import WITHIN

FAULTS = ["error", "error_after", "lost_answer", "unavailable"]


async def at_once() -> None:
    """Nothing is under way that a comparison would have to wait for."""


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_page_is_made_once(shop: Shop, kind: str) -> None:
    order = uuid4()
    await shop.sandbox.fault(kind, "/v1/checkout/sessions")
    await shop.want(order, "authorise")
    found = await shop.until(order, "session_open")
    assert (await shop.sandbox.pay(found["session_url"])).status_code == 303
    await shop.until(order, "authorised")
    opened = (await shop.sandbox.control("GET", "books"))["open_sessions"]
    assert opened == []


@pytest.mark.parametrize("kind", FAULTS)
async def test_hazard_15_money_is_collected_once(shop: Shop, kind: str) -> None:
    order = await shop.authorised()
    await shop.sandbox.fault(kind, "/v1/payment_intents")
    await shop.want(order, "capture")
    found = await shop.until(order, "captured")
    assert [entry["amount"] for entry in found["ledger"]] == [39_000, -39_000]
    assert [
        each["captured"] for each in await shop.sandbox.books() if each["metadata"]["order_id"] == str(order)
    ] == [39_000]


@pytest.mark.parametrize("kind", FAULTS)
async def test_hazard_20_money_is_given_back_once(shop: Shop, kind: str) -> None:
    order = await shop.captured()
    await shop.sandbox.fault(kind, "/v1/refunds")
    await shop.refund(order, 9_000)
    found = await shop.until(order, "captured", refunded=9_000, refund_pending=0)
    assert [each["state"] for each in found["refunds"]] == ["done"]
    assert (await shop.sandbox.charge_of(order))["refunded"] == 9_000


@pytest.mark.parametrize("kind", FAULTS)
async def test_promised_money_is_given_up(shop: Shop, kind: str) -> None:
    order = await shop.authorised()
    await shop.sandbox.fault(kind, "/v1/payment_intents")
    await shop.want(order, "void")
    await shop.until_told(order, "voided")


@pytest.mark.parametrize("first_check", [timedelta(seconds=2)], ids=["asked soon"])
async def test_during_an_outage_the_shopper_hears_so_and_all_is_done_afterwards(shop: Shop) -> None:
    await shop.sandbox.control("PUT", "outage", on=True)
    order = uuid4()
    refused = await shop.want(order, "authorise", wait=True, status=503)
    assert refused["retryable"] is True
    await shop.sandbox.control("PUT", "outage", on=False)
    await shop.until(order, "session_open")


async def test_keys_that_the_provider_forgot_do_no_harm(shop: Shop) -> None:
    order = await shop.captured()
    await shop.sandbox.control("POST", "forget-keys")
    await shop.want(order, "capture")
    assert (await shop.refund(order, 100)).status_code == 200
    await shop.until(order, "captured", refunded=100)


async def test_what_order_could_not_hear_is_told_later(shop: Shop) -> None:
    shop.peers.status = 503
    order = await shop.captured()
    shop.peers.status = 200
    await shop.until_told(order, "captured", captured=39_000)


async def test_reconciliation_misses_no_charge_of_a_shopper_who_paid_late(
    shop: Shop, postgres_url: str
) -> None:
    """A charge begins when somebody pays, maybe after the latest moment that is compared; its payment began before."""
    order = uuid4()
    page = (await shop.want(order, "authorise", wait=True))["session_url"]
    until = datetime.now(UTC)
    await asyncio.sleep(1.1)  # the provider counts in whole seconds
    await shop.sandbox.pay(page)
    await shop.want(order, "capture")
    await shop.until(order, "captured")
    provider = StripeProvider(DEVELOPMENT_KEY, base=shop.sandbox.url)
    database = Database(postgres_url, application="test", pool_max=2)
    async with provider.lifespan(), database.lifespan():
        comparing = ReconciliationService(
            provider, PostgresPayments(database, lambda: until), PostgresReports(database), at_once
        )
        before = await comparing.compare(until - timedelta(hours=1), until, until)
        after = await comparing.compare(until - timedelta(hours=1), until + timedelta(hours=1), until)
    assert order not in {each.order for each in (*before.differences, *after.differences)}
    assert after.seen == before.seen + 1


async def test_reconciliation_finds_money_that_belongs_to_nobody(shop: Shop, postgres_url: str) -> None:
    order = await shop.captured()
    foreign = uuid4()
    provider = StripeProvider(DEVELOPMENT_KEY, base=shop.sandbox.url)
    database = Database(postgres_url, application="test", pool_max=2)
    reports = PostgresReports(database)
    now = datetime.now(UTC)
    async with provider.lifespan(), database.lifespan():
        # Somebody with our key made a page of their own, and it was paid and collected.
        made = await provider.create_session(
            SessionRequest(
                foreign,
                1,
                500,
                "KRW",
                "x",
                None,
                "ko",
                "https://a.test",
                "https://b.test",
                now + timedelta(hours=1),
            ),
            "a-key-of-theirs",
        )
        assert made.url is not None
        await shop.sandbox.pay(made.url)
        charge = await shop.sandbox.charge_of(foreign)
        await provider.capture(charge["id"], "another-key")
        comparing = ReconciliationService(provider, PostgresPayments(database, lambda: now), reports, at_once)
        found = await comparing.compare(now - timedelta(hours=1), now + timedelta(hours=1), now)
    # Payments of the tests before, in the same database, have gone with their provider: those are `missing`.
    others = [each for each in found.differences if each.kind != "missing"]
    assert others == [Difference("unknown", charge["id"], foreign, 500, 0)]
    shown = (await shop.client.get("/api/payments/reconciliation", headers=shop.admin())).json()
    assert "unknown" in [each["kind"] for each in shown["latest"]["differences"]]
    assert shown["ledger_sum"] == 0
    listed = await shop.client.get("/api/payments?state=captured", headers=shop.admin())
    assert str(order) in [each["order_id"] for each in listed.json()["items"]]
    assert (await shop.client.get("/api/payments")).status_code == 401


async def test_reconciliation_names_a_part_that_somebody_collected_at_the_provider(
    shop: Shop, postgres_url: str
) -> None:
    order = await shop.authorised(39_000)
    charge = await shop.sandbox.charge_of(order)
    collected = await shop.sandbox.browser.post(
        f"{shop.sandbox.url}/v1/payment_intents/{charge['id']}/capture",
        data={"amount_to_capture": "30000"},
        headers={"Authorization": f"Bearer {DEVELOPMENT_KEY}"},
    )
    assert collected.status_code == 200
    await shop.want(order, "capture")
    await shop.until(order, "captured", captured=30_000)
    provider = StripeProvider(DEVELOPMENT_KEY, base=shop.sandbox.url)
    database = Database(postgres_url, application="test", pool_max=2)
    now = datetime.now(UTC)
    async with provider.lifespan(), database.lifespan():
        comparing = ReconciliationService(
            provider, PostgresPayments(database, lambda: now), PostgresReports(database), at_once
        )

        async def found() -> list[Difference]:
            compared = await comparing.compare(now - timedelta(hours=1), now + timedelta(hours=1), now)
            return [each for each in compared.differences if each.order == order]

        assert await found() == [Difference("total", charge["id"], order, 30_000, 30_000, 39_000)]
        await shop.sandbox.control("PUT", "refunds", status="pending")
        await shop.refund(order, 1_000)
        await shop.until(order, "captured", refund_pending=1_000)
        assert [each.kind for each in await found()] == ["total"], "the refund is under way"
        async with asyncio.timeout(WITHIN):  # the call is made beside the answer
            while not (made := await _refunds(shop)):
                await asyncio.sleep(0.03)
        assert [each.kind for each in await found()] == ["total"], "the provider counts it already"
        await shop.sandbox.control("PUT", "refunds", status="succeeded")
        await shop.want(order, "void")
        await shop.until(order, "refunding", refunded=29_000)
        await shop.sandbox.control("POST", f"refunds/{made[0]['id']}", status="succeeded")
        await shop.until(order, "refunded", refunded=30_000)
        assert await found() == []


async def _refunds(shop: Shop) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {DEVELOPMENT_KEY}"}
    answer = await shop.sandbox.browser.get(f"{shop.sandbox.url}/v1/refunds", headers=headers)
    found: list[dict[str, Any]] = answer.json()["data"]
    return found
