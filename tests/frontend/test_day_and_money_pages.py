"""The shopkeeper's day in one call, and the books against the provider's list."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from frontend_proxy.pages.money import handlers as money
from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token, refusal
from tests.frontend.fulfilment import AT, ID, KEY
from tests.frontend.shopping import gateway, look, send

DAY: dict[str, Any] = {
    "orders": {
        "placed": {"paid": 2, "held": 1},
        "open": {"paid": 3, "shipped": 4, "closing": 1, "held": 1},
        "unsent_since": AT,
        "currency": "KRW",
    },
    "revenue": [{"currency": "KRW", "captured": 40_000, "refunded": 9_000, "net": 31_000}],
    "reconciliation": {"at": AT, "differences": 0, "ledger_sum": 0},
    "running_out": [
        {
            "sku": "SOCKS",
            "slug": "socks",
            "product_id": ID,
            "names": {"en": "Socks", "ko": "양말"},
            "option_names": {},
            "available": 2,
        }
    ],
    "stuck": [
        {"service": "order", "dead": 100, "late_since": None},
        {"service": "auth", "dead": 0, "late_since": AT},
        {"service": "member", "dead": 0, "late_since": None},
    ],
    "degraded": [],
}
GAPS: dict[str, Any] = {
    **dict.fromkeys(("orders", "revenue", "reconciliation", "running_out")),
    "stuck": [],
    "degraded": ["orders", "reconciliation", "revenue", "running_out", "stuck_payment"],
}
BOOKS: dict[str, Any] = {
    "latest": {"since": AT, "until": AT, "at": AT, "seen": 7, "differences": []},
    "unfinished": {"capturing": 1},
    "ledger_sum": 0,
}
DIFFERENCE = {
    "kind": "captured",
    "provider_payment": "pi_123",
    "order_id": ID,
    "at_provider": 12_999,
    "booked": 1,
    "expected": None,
}
PART = {**DIFFERENCE, "kind": "total", "booked": 12_999, "expected": 15_999}


@pytest.fixture
def desk(front: Front) -> Front:
    front.keep("/", access_token=access_token(roles=("admin",)))
    return front


async def test_the_day_is_one_call_for_the_day_where_the_shop_is(desk: Front) -> None:
    desk.gateway.answer = gateway({"GET /api/today": DAY})
    status, text = await look(desk, "/admin")
    assert status == 200
    (seen,) = desk.gateway.seen
    query = parse_qs(urlsplit(seen.target).query)
    begins, ends = (datetime.fromisoformat(query[name][0]) for name in ("from", "before"))
    assert (begins.hour, begins.utcoffset(), ends - begins) == (0, timedelta(hours=9), timedelta(days=1))
    for shown in (
        "₩31,000",
        "₩40,000 collected, ₩9,000 given back",
        "2 left",
        "Stuck messages from orders: 100+",
    ):
        assert shown in text
    assert "/admin/orders?state=closing" in text and "/admin/orders?state=held" not in text
    assert "Nothing is stuck." not in text
    assert "Messages from accounts do not arrive" in text and "from members" not in text


async def test_what_is_away_is_said_in_its_place(desk: Front) -> None:
    desk.gateway.answer = gateway({"GET /api/today": GAPS})
    status, text = await look(desk, "/admin")
    assert status == 200
    for shown in (
        "Orders do not answer",
        "the revenue cannot be shown",
        "nobody knows whether the books agree",
        "nobody knows what runs out",
        "No answer from payments",
    ):
        assert shown in text
    assert "Nothing is stuck." not in text


async def test_a_day_without_anything_says_so(desk: Front) -> None:
    nothing: dict[str, Any] = {"placed": {}, "open": {}, "unsent_since": None, "currency": "KRW"}
    agreed = {"at": None, "differences": 0, "ledger_sum": 0}
    day = {**DAY, "orders": nothing, "revenue": [], "running_out": [], "stuck": [], "reconciliation": agreed}
    desk.gateway.answer = gateway({"GET /api/today": day})
    text = (await look(desk, "/admin"))[1]
    for shown in ("₩0", "Everything is sent.", "No orders yet.", "Nothing is stuck.", "enough of everything"):
        assert shown in text


async def test_without_bff_the_day_is_an_error_page_with_a_way_on(desk: Front) -> None:
    desk.gateway.answer = gateway({"GET /api/today": 503})
    status, text = await look(desk, "/admin")
    assert status == 503 and 'href="/admin"' in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "books agree."),
        ({"latest": None}, "has not been compared"),
        ({"latest": {**BOOKS["latest"], "differences": [DIFFERENCE]}}, "Differences to look at: 1."),
        ({"latest": {**BOOKS["latest"], "differences": [PART]}}, "than the order comes to (15,999)"),
        ({"ledger_sum": 5}, "do not add up to zero"),
    ],
)
async def test_the_books_say_whether_they_agree(desk: Front, change: dict[str, Any], sentence: str) -> None:
    desk.gateway.answer = gateway({"GET /api/payments/reconciliation": {**BOOKS, **change}})
    status, text = await look(desk, "/admin/money")
    assert status == 200 and sentence in text and "is being collected" in text
    if "Differences" in sentence:
        assert f"/admin/orders/{ID}" in text and "12,999" in text and "pi_123" in text


async def test_without_payment_the_page_says_that_nobody_knows(desk: Front) -> None:
    desk.gateway.answer = gateway({"GET /api/payments/reconciliation": 503})
    status, text = await look(desk, "/admin/money")
    assert status == 503 and "nobody knows whether the books agree" in text and "Compare now" not in text
    assert "Shopkeeper" in text, "the way on is there"


@pytest.mark.parametrize(("moves", "done"), [(True, "compared"), (False, "asked")])
async def test_comparing_now_waits_for_what_it_finds_but_not_for_ever(
    desk: Front, monkeypatch: pytest.MonkeyPatch, moves: bool, done: str
) -> None:
    monkeypatch.setattr(money, "PAUSE", 0.01)
    asked = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal asked
        if request.method == "POST":
            return web.json_response({}, status=202)
        asked += 1
        at = f"2026-03-01T09:00:0{3 if moves and asked > 3 else 0}Z"
        return web.json_response({**BOOKS, "latest": {**BOOKS["latest"], "at": at}})

    desk.gateway.answer = answer
    found = await send(desk, "/admin/money/compare", {"idempotency_key": KEY})
    assert found[:2] == (303, f"/admin/money?done={done}")
    (sent,) = [seen for seen in desk.gateway.seen if seen.method == "POST"]
    assert sent.headers["Idempotency-Key"] == KEY


async def test_a_comparison_of_which_nobody_knows_is_not_said_to_be_made(desk: Front) -> None:
    desk.gateway.answer = gateway(
        {"GET /api/payments/reconciliation": BOOKS, "POST /api/payments/reconciliation": 503}
    )
    found = await send(desk, "/admin/money/compare", {"idempotency_key": KEY})
    assert found[:2] == (303, "/admin/money?done=unknown")


@pytest.mark.parametrize("path", ["/admin", "/admin/money"])
async def test_the_day_and_the_books_are_for_administrators(desk: Front, path: str) -> None:
    desk.keep("/", access_token=access_token())

    async def refuse(_: web.Request) -> web.Response:
        return refusal(403)

    desk.gateway.answer = refuse
    assert (await look(desk, path))[0] == 403
    assert (await send(desk, "/admin/money/compare", {}))[0] == 403
    assert desk.gateway.seen == []
