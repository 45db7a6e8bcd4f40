"""Refunds of a part: by line and by amount, never more than was paid, of two at once one."""

import asyncio
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import Response

from tests.stores.order.shop import Shop


async def refund(shop: Shop, id_: UUID, tag: str | None = None, **wanted: Any) -> Response:
    admin = shop.admin()
    if tag is None:
        tag = (await shop.api.get(f"/api/orders/{id_}", headers=admin)).headers["ETag"]
    headers = {**admin, "If-Match": tag, "Idempotency-Key": str(uuid4())}
    return await shop.api.post(
        f"/api/orders/{id_}/refunds", json={"reason": "returned", **wanted}, headers=headers
    )


async def settled(shop: Shop, who: dict[str, str], id_: UUID) -> list[tuple[int, str]]:
    while True:
        timeline = (await shop.api.get(f"/api/orders/{id_}/events", headers=who)).json()
        if all(each["state"] in {"done", "failed"} for each in timeline["refunds"]):
            return [(each["amount"], each["state"]) for each in timeline["refunds"]]


async def test_hazard_21_refunds_by_line_and_amount_add_up_to_the_total(shop: Shop) -> None:
    shop.catalog.sell("SOCKS", 3_333, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 3)
    total = (await shop.order(kim, id_))["total"]
    assert total == 3 * 3_333 + 3_000

    preview = await shop.api.post(
        f"/api/orders/{id_}/refunds/preview",
        json={"reason": "returned", "lines": [{"line": 1, "quantity": 2}]},
        headers=shop.admin(),
    )
    assert (preview.json()["amount"], preview.json()["takes_rest"]) == (6_666, False)
    assert (await refund(shop, id_, lines=[{"line": 1, "quantity": 1}])).json()["amount"] == 3_333
    assert (await refund(shop, id_, amount=1_000)).status_code == 201
    assert (await refund(shop, id_, lines=[{"line": 1, "quantity": 3}])).status_code == 409
    last = await refund(shop, id_, lines=[{"line": 1, "quantity": 2}], shipping=True)
    assert last.json()["amount"] == total - 3_333 - 1_000
    refused = await refund(shop, id_, amount=1)
    assert (refused.status_code, refused.json()["refundable"]) == (409, 0)
    assert [state for _, state in await settled(shop, kim, id_)] == ["done"] * 3
    assert shop.payment.payments[id_]["refunded"] == total


async def test_what_is_given_back_is_what_was_shown_or_nothing(shop: Shop) -> None:
    shop.catalog.sell("SOCKS", 3_333, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 3)
    line: dict[str, Any] = {"lines": [{"line": 1, "quantity": 3}], "shipping": True}
    await refund(shop, id_, amount=1_000, note="a scratch")
    refused = await refund(shop, id_, expected_amount=3 * 3_333 + 3_000, **line)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/refund-changed")
    assert refused.json()["amount"] == 3 * 3_333 + 2_000
    assert (await refund(shop, id_, expected_amount=refused.json()["amount"], **line)).status_code == 201
    assert shop.payment.payments[id_]["captured"] == 3 * 3_333 + 3_000


async def test_who_gave_money_back_and_why_is_for_administrators(shop: Shop) -> None:
    shop.catalog.sell("SOCKS", 3_333, 10)
    kim, admin = shop.member(), shop.admin()
    id_ = await shop.paid(kim, "SOCKS")
    await refund(shop, id_, amount=1_000, note="a scratch")
    path = f"/api/orders/{id_}/events"
    (shown,) = (await shop.api.get(path, headers=kim)).json()["refunds"]
    assert (shown["note"], shown["actor"]) == ("", "")
    (shown,) = (await shop.api.get(path, headers=admin)).json()["refunds"]
    assert shown["note"] == "a scratch" and UUID(shown["actor"])


async def test_two_refunds_at_once_are_one(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim = shop.member()
    id_ = await shop.paid(kim)
    tag = (await shop.api.get(f"/api/orders/{id_}", headers=kim)).headers["ETag"]
    answers = await asyncio.gather(*(refund(shop, id_, tag, amount=40_000) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412, 412]
    assert await settled(shop, kim, id_) == [(40_000, "done")]


async def test_what_payment_refuses_counts_for_nothing(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim = shop.member()
    id_ = await shop.paid(kim)
    shop.payment.refuse_refunds = True
    await refund(shop, id_, amount=60_000)
    assert await settled(shop, kim, id_) == [(60_000, "failed")]
    shop.payment.refuse_refunds = False
    assert (await refund(shop, id_, amount=60_000)).status_code == 201


@pytest.mark.parametrize("end", ["done", "failed"])
async def test_a_refund_that_takes_its_time_is_asked_for_again_when_payment_has_news(
    shop: Shop, end: str
) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim = shop.member()
    id_ = await shop.paid(kim)
    shop.payment.refund_state = "pending"
    asked = UUID((await refund(shop, id_, amount=10_000)).json()["id"])
    while (await _state(shop, kim, id_)) != "pending":
        pass
    shop.payment.refunds[str(asked)] = end
    await shop.report(id_, shop.payment.report(id_))
    assert await settled(shop, kim, id_) == [(10_000, end)]
    assert f"refund_{end}" in await shop.events(kim, id_)


async def test_a_refund_that_the_bank_sends_back_can_be_made_again(shop: Shop) -> None:
    shop.catalog.sell("SOCKS", 3_333, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 3)
    everything: dict[str, Any] = {"lines": [{"line": 1, "quantity": 3}], "shipping": True}
    asked = (await refund(shop, id_, **everything)).json()
    assert await settled(shop, kim, id_) == [(asked["amount"], "done")]
    assert (await refund(shop, id_, amount=1)).status_code == 409

    failed = [{"refund_id": each, "state": "failed"} for each in (asked["id"], str(uuid4()))]
    back = shop.payment.report(id_, refunded=0, refunds=failed)
    assert (await shop.report(id_, back)).status_code == 204
    assert await settled(shop, kim, id_) == [(asked["amount"], "failed")]
    assert "refund_failed" in await shop.events(kim, id_)
    assert (await refund(shop, id_, **everything)).json()["amount"] == asked["amount"]
    # Said once more, which the outbox may do at any time, it changes nothing.
    await shop.report(id_, back)
    assert await settled(shop, kim, id_) == [(asked["amount"], "failed"), (asked["amount"], "done")]
    assert (await shop.events(kim, id_)).count("refund_failed") == 1


@pytest.mark.parametrize("end", ["done", "failed"])
async def test_an_answer_that_is_older_than_the_news_and_comes_after_them_changes_nothing(
    shop: Shop, end: str
) -> None:
    """Order may be stopped between payment's answer and its own commit; meanwhile payment goes on."""
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim = shop.member()
    id_ = await shop.paid(kim)
    shop.payment.refund_state, shop.payment.slow = "pending", asyncio.Event()
    asked = (await refund(shop, id_, amount=10_000)).json()["id"]
    while asked not in shop.payment.refunds:
        await asyncio.sleep(0.01)
    shop.payment.refunds[asked] = end
    news = shop.payment.report(id_, refunds=[{"refund_id": asked, "state": end}])
    assert (await shop.report(id_, news)).status_code == 204
    shop.payment.slow.set()
    while await _waiting(shop):
        await asyncio.sleep(0.01)
    assert await settled(shop, kim, id_) == [(10_000, end)]
    assert [event for event in await shop.events(kim, id_) if event.startswith("refund_")] == [
        "refund_requested",
        f"refund_{end}",
    ]


async def _waiting(shop: Shop) -> bool:
    found = await shop.api.get("/api/outbox/order?state=waiting", headers=shop.admin())
    return any(each["target"] == "payment" for each in found.json()["items"])


async def _state(shop: Shop, who: dict[str, str], id_: UUID) -> str:
    timeline = (await shop.api.get(f"/api/orders/{id_}/events", headers=who)).json()
    return str(timeline["refunds"][0]["state"])


async def test_an_order_that_is_not_paid_has_nothing_to_give_back(shop: Shop) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim = shop.member()
    id_ = await shop.placed(kim)
    await shop.becomes(kim, id_, "held")
    assert (await refund(shop, id_, amount=1)).json()["state"] == "held"
    headers = {**kim, "If-Match": "*"}
    answer = await shop.api.post(
        f"/api/orders/{id_}/refunds", json={"reason": "other", "amount": 1}, headers=headers
    )
    assert answer.status_code == 403


async def test_the_shopper_is_told_of_a_part_when_it_is_given_back_and_not_before(
    shop: Shop, tmp_path: Path
) -> None:
    def told() -> list[str]:
        texts = [
            message_from_bytes(file.read_bytes(), policy=default)
            for file in sorted((tmp_path / "mail").glob("*.eml"))
        ]
        return [str(each.get_content()) for each in texts if "Part of your money" in str(each["Subject"])]

    shop.catalog.sell("SOCKS", 3_333, 10)
    kim = shop.member()
    id_ = await shop.placed(kim, "SOCKS", 3, lang="en")
    await shop.becomes(kim, id_, "held")
    await shop.pay(kim, id_)
    await shop.report(id_, shop.payment.authorise(id_))
    await shop.becomes(kim, id_, "paid")
    shop.payment.refund_state = "pending"
    (refund_id,) = [(await refund(shop, id_, amount=1_000)).json()["id"]]
    while refund_id not in shop.payment.refunds:
        await asyncio.sleep(0.01)
    assert told() == []
    shop.payment.refunds[refund_id] = "done"
    while not told():
        await shop.report(id_, shop.payment.report(id_))
        await asyncio.sleep(0.05)
    assert "1,000 KRW" in told()[0]
    assert len(told()) == 1


async def ship(shop: Shop, id_: UUID, tag: str | None = None) -> Response:
    admin = shop.admin()
    if tag is None:
        tag = (await shop.api.get(f"/api/orders/{id_}", headers=admin)).headers["ETag"]
    return await shop.api.post(
        f"/api/orders/{id_}/shipments", json={"carrier": "CJ"}, headers={**admin, "If-Match": tag}
    )


@pytest.mark.parametrize(
    "wanted", [{"lines": [{"line": 1, "quantity": 3}]}, {"amount": 12_999}], ids=["all goods", "all money"]
)
async def test_nothing_is_sent_of_an_order_that_was_given_back(shop: Shop, wanted: dict[str, Any]) -> None:
    shop.catalog.sell("SOCKS", 3_333, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 3)
    await refund(shop, id_, **wanted)
    await settled(shop, kim, id_)
    refused = await ship(shop, id_)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-to-send")
    timeline = (await shop.api.get(f"/api/orders/{id_}/events", headers=kim)).json()
    assert timeline["shipments"] == [] and "ship_requested" not in str(timeline)
    assert (await shop.order(kim, id_))["state"] == "paid"
    await shop.report(id_, shop.payment.report(id_))
    actions = (await shop.order(shop.admin(), id_))["actions"]
    assert ("ship" in actions) is ("lines" in wanted), "of money alone the order itself knows"
    assert "cancel" in actions
    await shop.api.post(f"/api/orders/{id_}/cancel", headers=kim)
    await shop.becomes(kim, id_, "refunded")
    assert shop.payment.payments[id_]["refunded"] == 12_999
    while shop.catalog.of("SOCKS").on_hand != 10:
        await shop.order(kim, id_)


async def test_nothing_is_sent_of_an_order_whose_money_went_back_at_the_provider(shop: Shop) -> None:
    """By a person on its pages: no refund of the order's, but its money all the same."""
    shop.catalog.sell("SOCKS", 3_333, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 3)
    await shop.report(id_, shop.payment.report(id_, refunded=12_999))
    refused = await ship(shop, id_)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-to-send")
    await shop.report(id_, shop.payment.report(id_, refunded=0))  # the bank sent it back
    assert (await ship(shop, id_)).status_code == 201


async def test_what_went_back_at_the_provider_is_not_promised_again(shop: Shop) -> None:
    """The preview promised it, and the refund failed at payment."""
    shop.catalog.sell("SOCKS", 3_333, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 3)
    await shop.report(id_, shop.payment.report(id_, refunded=4_000))
    path, admin = f"/api/orders/{id_}/refunds/preview", shop.admin()
    refused = await shop.api.post(path, json={"reason": "other", "amount": 9_000}, headers=admin)
    assert (refused.status_code, refused.json()["refundable"]) == (409, 8_999)
    whole = {"reason": "other", "lines": [{"line": 1, "quantity": 3}], "shipping": True}
    preview = (await shop.api.post(path, json=whole, headers=admin)).json()
    assert (preview["amount"], preview["takes_rest"]) == (8_999, True)
    assert (await refund(shop, id_, amount=1_000)).json()["amount"] == 1_000
    await shop.report(id_, shop.payment.report(id_, refunded=5_000))
    assert (await shop.api.post(path, json=whole, headers=admin)).json()["amount"] == 7_999


async def test_an_order_whose_refund_failed_is_sent(shop: Shop) -> None:
    shop.catalog.sell("SOCKS", 3_333, 10)
    kim = shop.member()
    id_ = await shop.paid(kim, "SOCKS", 3)
    shop.payment.refuse_refunds = True
    await refund(shop, id_, lines=[{"line": 1, "quantity": 3}])
    assert await settled(shop, kim, id_) == [(9_999, "failed")]
    assert (await ship(shop, id_)).status_code == 201


async def test_of_sending_and_giving_all_back_at_once_one_is_done(shop: Shop) -> None:
    shop.catalog.sell("SOCKS", 3_333, 30)
    kim = shop.member()
    for _ in range(5):
        id_ = await shop.paid(kim, "SOCKS", 3)
        sent, given = await asyncio.gather(
            ship(shop, id_, "*"), refund(shop, id_, "*", lines=[{"line": 1, "quantity": 3}])
        )
        timeline = (await shop.api.get(f"/api/orders/{id_}/events", headers=kim)).json()
        events = [each["event"] for each in timeline["events"]]
        assert (sent.status_code == 201) is ("ship_requested" in events)
        if sent.status_code == 201 and given.status_code == 201:
            assert events.index("ship_requested") < events.index("refund_requested"), "sent goods came back"
