"""Stuck messages of all services on one page, and one click that tries again."""

from typing import Any

import pytest

from frontend_proxy.pages.stuck.handlers import SERVICES
from frontend_proxy.pages.stuck.subjects import order_of, said
from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token
from tests.frontend.fulfilment import AT, ID, KEY
from tests.frontend.shopping import Said, gateway, look, send

MESSAGE: dict[str, Any] = {
    "id": "41",
    "target": "payment",
    "call": f"PUT /internal/payments/{ID}",
    "aggregate": f"order:{ID}:payment",
    "created_at": AT,
    "dead_since": AT,
    "attempts": 8,
    "refusals": 8,
    "error": 'status 409: {"detail":"<another amount>"}',
    "request_id": "r",
}
NOTHING: dict[str, Any] = {"items": [], "next_cursor": None}
NONE: dict[str, Said] = {f"GET /api/outbox/{service}": NOTHING for service in SERVICES}


@pytest.fixture
def desk(front: Front) -> Front:
    front.keep("/", access_token=access_token(roles=("admin",)))
    front.gateway.answer = gateway(NONE)
    return front


async def test_what_is_stuck_is_shown_with_its_order_its_cause_and_a_button(desk: Front) -> None:
    listed = {"items": [MESSAGE], "next_cursor": "41"}
    desk.gateway.answer = gateway({**NONE, "GET /api/outbox/order": listed})
    status, text = await look(desk, "/admin/stuck")
    assert status == 200
    for shown in ("To payments", f"/admin/orders/{ID}", "&lt;another amount&gt;", "tried 8 times"):
        assert shown in text
    assert 'action="/admin/stuck/order/41/retry"' in text
    assert "/admin/stuck?show=dead&amp;service=order&amp;cursor=41" in text
    assert {seen.target for seen in desk.gateway.seen} == {
        f"/api/outbox/{service}?state=dead&limit=20" for service in SERVICES
    }


async def test_one_services_later_page_asks_that_one_alone(desk: Front) -> None:
    await look(desk, "/admin/stuck?show=waiting&service=auth&cursor=7")
    assert [seen.target for seen in desk.gateway.seen] == ["/api/outbox/auth?state=waiting&limit=20&cursor=7"]


async def test_where_nothing_is_stuck_the_page_says_so(desk: Front) -> None:
    assert "Nothing is stuck." in (await look(desk, "/admin/stuck"))[1]


async def test_a_service_that_is_away_is_named_and_the_others_shown(desk: Front) -> None:
    desk.gateway.answer = gateway({**NONE, "GET /api/outbox/payment": 503})
    status, text = await look(desk, "/admin/stuck")
    assert status == 200 and "No answer from payments" in text and "Nothing is stuck." not in text


@pytest.mark.parametrize(("status", "done"), [(202, "retried"), (404, "gone"), (503, "unknown")])
async def test_a_click_tries_again_under_its_key(desk: Front, status: int, done: str) -> None:
    path = "POST /api/outbox/order/41/retries"
    desk.gateway.answer = gateway({path: {"status": 202} if status == 202 else status})
    found = await send(desk, "/admin/stuck/order/41/retry", {"idempotency_key": KEY})
    assert found[:2] == (303, f"/admin/stuck?done={done}")
    assert desk.gateway.seen[-1].headers["Idempotency-Key"] == KEY


@pytest.mark.parametrize("path", ["/admin/stuck/other/41/retry", "/admin/stuck/order/x/retry"])
async def test_only_messages_of_a_service_are_retried(desk: Front, path: str) -> None:
    assert (await send(desk, path, {"idempotency_key": KEY}))[0] == 404
    assert desk.gateway.seen == []


async def test_stuck_messages_are_for_administrators_alone(desk: Front) -> None:
    desk.keep("/", access_token=access_token())
    assert (await look(desk, "/admin/stuck"))[0] == 403
    assert (await send(desk, "/admin/stuck/order/41/retry", {"idempotency_key": KEY}))[0] == 403
    assert desk.gateway.seen == []


@pytest.mark.parametrize(
    ("call", "order"),
    [
        (f"PUT /internal/payments/{ID}", ID),
        (f"POST /internal/payments/{ID}/refunds", ID),
        (f"PUT /internal/reservations/{ID}", ID),
        (f"PUT /internal/orders/{ID}/payment", ID),
        (f"PUT /internal/accounts/{ID}", None),
        ("SEND /placed", None),
    ],
)
def test_a_message_about_an_order_names_it(call: str, order: str | None) -> None:
    assert order_of({"call": call}) == order


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ('status 409: {"title":"Conflict","detail":"Another amount."}', "status 409: Another amount."),
        ('status 404: {"type":"about:blank","title":"Not Found"}', "status 404: Not Found"),
        (
            'status 422: {"type":"about:blank","detail":"Other lines.","instance":"/inter',
            "status 422: Other lines.",
        ),
        ("status 500: <html>", "status 500: <html>"),
        ("status 400: [1]", "status 400: [1]"),
        ("the answer is not as agreed: x", "the answer is not as agreed: x"),
        ("", ""),
    ],
)
def test_what_a_receiver_said_is_said_in_short(error: str, shown: str) -> None:
    assert said(error) == shown
