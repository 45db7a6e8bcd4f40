"""What a shopkeeper asks of the books: the revenue of a day, and to compare with the provider now."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.chassis import pages
from tests.stores.payment.world import Shop
from tests.waiting import WITHIN


async def revenue(shop: Shop, since: datetime, before: datetime) -> Any:
    query = {"booked_from": since.isoformat(), "booked_before": before.isoformat()}
    answer = await shop.client.get("/api/payments/revenue", params=query, headers=shop.admin())
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_revenue_is_what_was_collected_less_what_went_back_of_the_interval_alone(shop: Shop) -> None:
    began = datetime.now(UTC)
    order = await shop.captured(39_000)
    await shop.captured(1_000)
    assert (await shop.refund(order, 9_000)).status_code == 200
    await shop.until(order, "captured", refunded=9_000)
    now = datetime.now(UTC) + timedelta(seconds=1)
    assert await revenue(shop, began - timedelta(hours=1), now) == [
        {"currency": "KRW", "captured": 40_000, "refunded": 9_000, "disputed": 0, "net": 31_000}
    ]
    assert await revenue(shop, now, now + timedelta(days=1)) == []
    assert await revenue(shop, began - timedelta(days=1), began) == []


@pytest.mark.parametrize(
    ("since", "before"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-02-03T00:00:00Z"),
        ("2026-01-01T00:00:00", "2026-01-02T00:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00Z"),
    ],
)
async def test_an_interval_that_is_none_or_too_long_is_refused(shop: Shop, since: str, before: str) -> None:
    query = {"booked_from": since, "booked_before": before}
    answer = await shop.client.get("/api/payments/revenue", params=query, headers=shop.admin())
    assert answer.status_code == 400 and answer.json()["errors"]


async def test_a_comparison_that_is_asked_for_is_made_at_once_and_on_record(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    async def latest() -> Any:
        answer = await shop.client.get("/api/payments/reconciliation", headers=shop.admin())
        return answer.json()["latest"]

    async with asyncio.timeout(WITHIN):
        while (before := await latest()) is None:  # the one that every start makes
            await asyncio.sleep(0.05)
    with caplog.at_level(logging.INFO, logger="services.audit"):
        headers = {**shop.admin(), "Idempotency-Key": str(uuid4())}
        for _ in range(2):
            answer = await shop.client.post("/api/payments/reconciliation", headers=headers)
            assert answer.status_code == 202
    async with asyncio.timeout(WITHIN):
        while (after := await latest())["at"] == before["at"]:
            await asyncio.sleep(0.05)
    assert after["differences"] == []
    records = [each for each in caplog.records if each.name == "services.audit"]
    assert [each.action for each in records] == ["reconcile"], "the second was the first one's answer"  # type: ignore[attr-defined]


async def test_the_books_are_for_administrators(shop: Shop) -> None:
    member = shop.member()
    for method, path in (
        ("GET", "/api/payments/revenue?booked_from=2026-01-01T00:00:00Z&booked_before=2026-01-02T00:00:00Z"),
        ("GET", "/api/payments/reconciliation"),
        ("POST", "/api/payments/reconciliation"),
    ):
        assert (await shop.client.request(method, path, headers=member)).status_code == 403


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-27T09:00:00"]
)
async def test_a_cursor_with_a_time_that_the_books_cannot_have_is_refused(shop: Shop, at: str) -> None:
    cursor = pages.encode("-created_at", at, uuid4())
    answer = await shop.client.get("/api/payments", params={"cursor": cursor}, headers=shop.admin())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_cursor")
