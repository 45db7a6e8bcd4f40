"""Giving money back: first what it comes to, as order says it, and then that sum or none."""

import json
import re
from typing import Any

import pytest
from aiohttp import web

from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token
from tests.frontend.fulfilment import ANSWERS, ID, KEY, ORDER, TIMELINE
from tests.frontend.shopping import gateway, look, send

PAGE = f"/admin/orders/{ID}/refund"
CALL = f"/api/orders/{ID}/refunds"
TYPED = {"by": "lines", "units_1": "2", "shipping": "on", "reason": "returned", "note": "<torn>"}
PREVIEW: dict[str, Any] = {
    "amount": 9_000,
    "lines": [{"line": 1, "quantity": 2, "amount": 6_666}],
    "shipping": True,
    "takes_rest": True,
}


@pytest.fixture
def desk(front: Front) -> Front:
    front.keep("/", access_token=access_token(roles=("admin",)))
    front.gateway.answer = gateway({**ANSWERS, f"POST {CALL}/preview": PREVIEW, f"POST {CALL}": 503})
    return front


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))


async def test_the_form_says_what_is_left(desk: Front) -> None:
    status, text = await look(desk, PAGE)
    assert status == 200 and "₩11,999 can still be given back." in text
    assert 'name="units_1" type="number" inputmode="numeric" min="0" max="3"' in text
    given = {**TIMELINE["refunds"][0], "lines": [{"line": 1, "quantity": 3, "amount": 1}], "shipping": True}
    desk.gateway.answer = gateway(
        {**ANSWERS, f"GET /api/orders/{ID}/events": {**TIMELINE, "refunds": [given]}}
    )
    _, text = await look(desk, PAGE)
    assert "all given back" in text and 'name="units_1"' not in text and 'name="shipping"' not in text


async def test_the_preview_shows_orders_own_sum_and_sends_it_along(desk: Front) -> None:
    status, _, text = await send(desk, PAGE, TYPED)
    assert status == 200
    seen = desk.gateway.seen[-1]
    assert (seen.target, json.loads(seen.body)) == (
        f"{CALL}/preview",
        {"reason": "returned", "note": "<torn>", "lines": [{"line": 1, "quantity": 2}], "shipping": True},
    )
    for shown in ("Give back ₩9,000?", "₩6,666", "₩3,000", "-₩666", "Nothing of the order", "&lt;torn&gt;"):
        assert shown in text
    kept = hidden(text)
    assert (kept["expected_amount"], kept["version"]) == ("9000", "7")

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return await gateway(ANSWERS)(request)
        return web.json_response({"id": ID}, status=201)

    desk.gateway.answer = answer
    kept["note"] = "<torn>"
    assert await send(desk, f"{PAGE}/done", kept) == (303, f"/admin/orders/{ID}?done=refunded", "")
    seen = desk.gateway.seen[-1]
    assert (seen.headers["Idempotency-Key"], seen.headers["If-Match"]) == (kept["idempotency_key"], '"7"')
    assert json.loads(seen.body) == {
        "reason": "returned",
        "note": "<torn>",
        "lines": [{"line": 1, "quantity": 2}],
        "shipping": True,
        "expected_amount": 9000,
    }


@pytest.mark.parametrize(("status", "kind"), [(412, "about:blank"), (409, "/problems/refund-changed")])
async def test_what_changed_meanwhile_is_shown_anew_and_not_done(desk: Front, status: int, kind: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.method == "POST" and request.path == CALL:
            return web.json_response({"type": kind, "status": status, "amount": 9_000}, status=status)
        return await gateway({**ANSWERS, f"POST {CALL}/preview": PREVIEW})(request)

    desk.gateway.answer = answer
    form = {**TYPED, "idempotency_key": KEY, "version": "6", "expected_amount": "9666"}
    answered, _, text = await send(desk, f"{PAGE}/done", form)
    assert answered == status and "Something about this order changed meanwhile" in text
    kept = hidden(text)
    assert (kept["expected_amount"], kept["version"]) == ("9000", "7")
    assert kept["idempotency_key"] != KEY


async def test_a_lost_answer_keeps_key_and_version_so_that_twice_is_once(desk: Front) -> None:
    form = {**TYPED, "idempotency_key": KEY, "version": "6", "expected_amount": "9000"}
    status, _, text = await send(desk, f"{PAGE}/done", form)
    assert status == 503
    assert (hidden(text)["idempotency_key"], hidden(text)["version"]) == (KEY, "6")


class Bookkeeping:
    """order, where a refund of all units is made by the first request, whatever that one is answered."""

    def __init__(self, *statuses: int) -> None:
        self.sent: list[tuple[str, Any]] = []
        self._statuses = list(statuses)

    async def __call__(self, request: web.Request) -> web.Response:
        if request.method == "POST" and request.path == CALL:
            self.sent.append((request.headers["Idempotency-Key"], json.loads(await request.text())))
            return web.json_response({"id": ID}, status=self._statuses.pop(0))
        given = {**TIMELINE["refunds"][0], "lines": [{"line": 1, "quantity": 3, "amount": 9_999}]}
        timeline = {**TIMELINE, "refunds": [given] if self.sent else []}
        return await gateway({**ANSWERS, f"GET /api/orders/{ID}/events": timeline})(request)


ALL = {
    "by": "lines",
    "units_1": "3",
    "reason": "returned",
    "idempotency_key": KEY,
    "version": "7",
    "expected_amount": "9999",
}


async def test_a_refund_of_all_units_that_is_sent_twice_is_one_request_sent_twice(desk: Front) -> None:
    """What is left by then is none of them: order knows the key, and gives its first answer again."""
    desk.gateway.answer = order = Bookkeeping(201, 201)
    for _ in range(2):
        assert (await send(desk, f"{PAGE}/done", ALL))[1] == f"/admin/orders/{ID}?done=refunded"
    first, second = order.sent
    assert first == second and first[1]["lines"] == [{"line": 1, "quantity": 3}]


async def test_a_lost_answer_is_said_also_where_nothing_is_left_to_give_back(desk: Front) -> None:
    desk.gateway.answer = Bookkeeping(503)
    status, _, text = await send(desk, f"{PAGE}/done", ALL)
    assert status == 503 and "all given back" in text
    assert "Part of the shop cannot be reached right now" in text


async def test_more_than_is_left_says_how_much_is(desk: Front) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == f"{CALL}/preview":
            document = {"type": "about:blank", "status": 409, "refundable": 11_999}
            return web.json_response(document, status=409)
        return await gateway(ANSWERS)(request)

    desk.gateway.answer = answer
    form = {"by": "amount", "amount": "20,000", "reason": "goodwill"}
    status, _, text = await send(desk, PAGE, form)
    assert status == 409 and "At most ₩11,999 can be given back by now." in text
    assert 'value="20,000"' in text and 'value="goodwill" selected' in text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"units_1": "4"}, "This has to be 3 or less."),
        ({"reason": ""}, "Please choose one from the list."),
        ({"units_1": "0", "shipping": ""}, "Please choose goods, the shipping, or an amount."),
        ({"by": "amount", "amount": "x"}, "Please check this."),
    ],
)
async def test_what_was_typed_wrong_is_asked_of_nobody(
    desk: Front, change: dict[str, str], sentence: str
) -> None:
    status, _, text = await send(desk, PAGE, {**TYPED, **change})
    assert status == 422 and sentence in text
    assert all(seen.method == "GET" for seen in desk.gateway.seen)


async def test_changing_ones_mind_brings_the_form_back_as_it_was(desk: Front) -> None:
    status, _, text = await send(desk, PAGE, {**TYPED, "change": "yes"})
    assert status == 200 and 'max="3" value="2"' in text and "&lt;torn&gt;" in text
    assert all(seen.method == "GET" for seen in desk.gateway.seen)


async def test_where_nothing_can_be_given_back_there_is_no_form(desk: Front) -> None:
    desk.gateway.answer = gateway({**ANSWERS, f"GET /api/orders/{ID}": {**ORDER, "actions": []}})
    async with desk.browser.get(desk.url + PAGE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, f"/admin/orders/{ID}")


async def test_without_the_refunds_so_far_nobody_guesses_what_is_left(desk: Front) -> None:
    desk.gateway.answer = gateway({f"GET /api/orders/{ID}": ORDER, f"GET /api/orders/{ID}/events": 503})
    assert (await look(desk, PAGE))[0] == 503


async def test_money_is_given_back_by_administrators_alone(desk: Front) -> None:
    desk.keep("/", access_token=access_token())
    desk.gateway.seen.clear()
    assert (await look(desk, PAGE))[0] == 403
    for path in (PAGE, f"{PAGE}/done"):
        assert (await send(desk, path, TYPED))[0] == 403
    assert desk.gateway.seen == []
