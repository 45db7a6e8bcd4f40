"""Administrators find orders, send them, and see what they may do; nobody overwrites what was not seen."""

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.stores.order.shop import ADDRESS, Shop
from tests.stores.order.test_guests import mails


async def test_a_paid_order_is_sent_and_arrives(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim, admin = shop.member(), shop.admin()
    id_ = await shop.paid(kim)
    answer = await shop.api.get(f"/api/orders/{id_}", headers=admin)
    assert answer.json()["actions"] == ["cancel", "ship", "refund"]
    sent = {"carrier": "CJ대한통운", "tracking_number": "1234-5678"}
    path = f"/api/orders/{id_}/shipments"
    assert (await shop.api.post(path, json=sent, headers=admin)).status_code == 428
    stale = {**admin, "If-Match": '"1"'}
    assert (await shop.api.post(path, json=sent, headers=stale)).status_code == 412
    fresh = {**admin, "If-Match": answer.headers["ETag"]}
    shipped = await shop.api.post(path, json=sent, headers=fresh)
    assert (shipped.status_code, shipped.json()["state"]) == (201, "shipped")
    assert (await shop.api.post(f"/api/orders/{id_}/cancel", headers=kim)).status_code == 409
    timeline = (await shop.api.get(f"/api/orders/{id_}/events", headers=kim)).json()
    assert timeline["shipments"][0]["tracking_number"] == "1234-5678"
    assert timeline["events"][-1]["actor"] == ""  # who in the house did it is the house's business
    delivered = await shop.api.post(
        f"/api/orders/{id_}/deliveries", headers={**admin, "If-Match": shipped.headers["ETag"]}
    )
    assert (delivered.json()["state"], delivered.json()["actions"]) == (
        "delivered",
        ["correct_shipment", "refund"],
    )


async def test_a_wrong_tracking_number_is_put_right_and_what_was_said_stays_on_record(
    shop: Shop, tmp_path: Path
) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim, admin = shop.member(), shop.admin()
    id_ = await shop.paid(kim)
    path = f"/api/orders/{id_}/shipments"

    async def post(call: str, tracking: str, tag: str) -> Any:
        body = {"carrier": "CJ대한통운", "tracking_number": tracking}
        return await shop.api.post(f"{path}{call}", json=body, headers={**admin, "If-Match": tag})

    tag = (await shop.api.get(f"/api/orders/{id_}", headers=admin)).headers["ETag"]
    assert (await post("/corrections", "1234", tag)).status_code == 409, "nothing was sent yet"
    shipped = await post("", "1234", tag)
    first = (await shop.api.get(f"/api/orders/{id_}/events", headers=kim)).json()["shipments"]
    assert "correct_shipment" in shipped.json()["actions"]
    assert (await post("/corrections", "1235", tag)).status_code == 412
    corrected = await post("/corrections", "1235", shipped.headers["ETag"])
    assert (corrected.status_code, corrected.json()["state"]) == (201, "shipped")
    again = await post("/corrections", "1235", corrected.headers["ETag"])
    assert (again.status_code, again.headers["ETag"]) == (201, corrected.headers["ETag"])

    timeline = (await shop.api.get(f"/api/orders/{id_}/events", headers=kim)).json()
    (right,) = timeline["shipments"]
    assert (right["tracking_number"], right["at"]) == ("1235", first[0]["at"])
    said = [(each["event"], each["note"]) for each in timeline["events"]][-2:]
    assert said == [("ship_requested", "CJ대한통운 1234"), ("shipment_corrected", "CJ대한통운 1235")]
    (told,) = [text for text in await mails(tmp_path, 4) if "바로잡아" in text]
    assert "CJ대한통운 1235" in told


async def test_the_list_is_filtered_and_for_administrators_alone(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim, admin = shop.member(), shop.admin()
    first = await shop.placed(kim, email="one@shop.test")
    second = await shop.placed(kim, email="two@shop.test")
    for id_ in (first, second):
        await shop.becomes(kim, id_, "held")
    number = (await shop.order(kim, first))["number"]
    placed_at = (await shop.order(kim, second))["placed_at"]

    async def found(query: str) -> list[UUID]:
        answer = await shop.api.get(f"/api/orders/all?{query}", headers=admin)
        assert answer.status_code == 200, answer.text
        return [UUID(order["id"]) for order in answer.json()["items"]]

    assert await found("") == [second, first]
    assert await found("state=held") == [second, first]
    assert await found("sort=placed_at") == [first, second]
    page = (await shop.api.get("/api/orders/all?sort=placed_at&limit=1", headers=admin)).json()
    assert await found(f"sort=placed_at&cursor={page['next_cursor']}") == [second]
    latest = await shop.api.get(f"/api/orders/all?cursor={page['next_cursor']}", headers=admin)
    assert latest.status_code == 400, "a cursor is of one order alone"
    assert await found("state=paid") == []
    assert await found("email=ONE@shop.test") == [first]
    assert await found(f"number={number}") == [first]
    assert await found(f"placed_from={placed_at.replace('+', '%2B')}") == [second]
    assert await found(f"placed_before={placed_at.replace('+', '%2B')}") == [first]
    assert (await shop.api.get("/api/orders/all", headers=kim)).status_code == 403


async def test_orders_are_found_by_a_part_of_their_recipients_name(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim, admin = shop.member(), shop.admin()
    haneul = await shop.placed(kim)
    minji = await shop.placed(kim, address={**ADDRESS, "recipient": "Minji O'Hara_ \uff2bim"})

    async def found(name: str, **more: str) -> list[UUID]:
        query = {"recipient": name, **more}
        answer = await shop.api.get("/api/orders/all", params=query, headers=admin)
        assert answer.status_code == 200, answer.text
        return [UUID(order["id"]) for order in answer.json()["items"]]

    for name in ("minji", "o'hara_ kim", "KIM", "ji o", "_ k"):
        assert await found(name) == [minji], name
    for name in ("im mi", "kim%", "jim", "%%", "__"):
        assert await found(name) == [], name
    for name in ("김하", "하늘", "김하늘"):
        assert await found(name) == [haneul], name
    assert await found("minji", state="sold_out") == []
    for name in ("k", "\u3164\u3164", "k" * 101):
        refused = await shop.api.get("/api/orders/all", params={"recipient": name}, headers=admin)
        assert refused.status_code == 400, name


async def test_what_administrators_did_is_on_record_and_what_owners_did_is_not(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim, admin = shop.member(), shop.admin()
    first, second, third = [await shop.paid(kim) for _ in range(3)]
    with caplog.at_level(logging.INFO, logger="services.audit"):
        sent = {"carrier": "CJ대한통운"}
        for path, body in (
            (f"{first}/shipments", sent),
            (f"{first}/shipments/corrections", {"carrier": "CJ대한통운", "tracking_number": "1"}),
            (f"{first}/deliveries", None),
            (f"{first}/refunds/preview", {"reason": "goodwill", "amount": 1}),
            (f"{first}/refunds", {"reason": "goodwill", "amount": 1}),
            (f"{second}/cancel", None),
        ):
            tag = (await shop.api.get(f"/api/orders/{path[:36]}", headers=admin)).headers["ETag"]
            headers = {**admin, "If-Match": tag}
            assert (await shop.api.post(f"/api/orders/{path}", json=body, headers=headers)).is_success
        assert (await shop.api.post(f"/api/orders/{third}/cancel", headers=kim)).status_code == 200
        assert (await shop.api.post(f"/api/orders/{first}/cancel", headers=headers)).status_code == 412
    records = [each for each in caplog.records if each.name == "services.audit"]
    assert [(each.action, each.path) for each in records] == [  # type: ignore[attr-defined]
        ("shipOrder", f"/api/orders/{first}/shipments"),
        ("correctShipment", f"/api/orders/{first}/shipments/corrections"),
        ("deliverOrder", f"/api/orders/{first}/deliveries"),
        ("refundOrder", f"/api/orders/{first}/refunds"),
        ("cancelOrder", f"/api/orders/{second}/cancel"),
    ]
    (actor,) = {each.actor for each in records}  # type: ignore[attr-defined]
    timeline = (await shop.api.get(f"/api/orders/{first}/events", headers=admin)).json()
    assert actor in {event["actor"] for event in timeline["events"]}


async def test_the_summary_counts_a_days_orders_and_the_open_ones(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 50)
    kim, admin = shop.member(), shop.admin()
    first = await shop.paid(kim)
    second = await shop.placed(kim)
    await shop.becomes(kim, second, "held")
    placed_at = (await shop.order(kim, second))["placed_at"]

    async def summary(since: str, before: str) -> Any:
        query = {"placed_from": since, "placed_before": before}
        answer = await shop.api.get("/api/orders/summary", params=query, headers=admin)
        assert answer.status_code == 200, answer.text
        return answer.json()

    whole = await summary(_days(placed_at, -1), _days(placed_at, 1))
    assert whole["placed"] == whole["open"] == {"paid": 1, "held": 1}
    assert whole["unsent_since"] == (await shop.order(kim, first))["placed_at"]
    # Half-open: the second was placed at the very end.
    assert (await summary(_days(placed_at, -1), placed_at))["placed"] == {"paid": 1}
    assert (await summary(placed_at, _days(placed_at, 1)))["placed"] == {"held": 1}
    for since, before in ((0, 0), (1, 0), (0, 33)):
        query = {"placed_from": _days(placed_at, since), "placed_before": _days(placed_at, before)}
        assert (await shop.api.get("/api/orders/summary", params=query, headers=admin)).status_code == 400
    assert (await shop.api.get("/api/orders/summary", params=query, headers=kim)).status_code == 403


def _days(moment: str, days: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(days=days)).isoformat()


async def test_a_cancellation_that_is_sent_twice_is_one_and_answered_alike(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    id_ = await shop.paid(shop.member())
    admin = shop.admin()
    tag = (await shop.api.get(f"/api/orders/{id_}", headers=admin)).headers["ETag"]
    headers = {**admin, "If-Match": tag, "Idempotency-Key": str(uuid4())}
    first, second = [await shop.api.post(f"/api/orders/{id_}/cancel", headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["Idempotent-Replayed"] == "true" and first.content == second.content


@pytest.mark.parametrize(
    "call", ["shipments", "shipments/corrections", "deliveries", "refunds", "refunds/preview"]
)
async def test_what_administrators_do_nobody_else_does(shop: Shop, call: str) -> None:
    for who in (shop.member(), shop.guest()):
        answer = await shop.api.post(f"/api/orders/{uuid4()}/{call}", json={}, headers=who)
        assert answer.status_code == 403


async def test_a_report_needs_the_internal_key_and_an_order(shop: Shop) -> None:
    report = {
        "state": "captured",
        "authorised": 1,
        "captured": 1,
        "refunded": 0,
        "occurred_at": "2026-11-27T03:00:00Z",
    }
    path = f"/internal/orders/{uuid4()}/payment"
    assert (await shop.api.put(path, json=report, headers=shop.admin())).status_code == 401
    assert (await shop.report(uuid4(), report)).status_code == 404
