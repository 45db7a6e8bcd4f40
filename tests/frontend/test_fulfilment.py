"""The shopkeeper's orders: what is shown, what is sent on, and what is said where it is refused."""

import json
import logging

import pytest
from aiohttp import web

from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token, refusal
from tests.frontend.fulfilment import ANSWERS, AT, ID, KEY, ORDER, TIMELINE
from tests.frontend.shopping import Said, gateway, look, send

PAGE = f"/admin/orders/{ID}"
LIST: dict[str, Said] = {
    "GET /api/orders/all": {"items": [ORDER, {**ORDER, "number": "100022"}], "next_cursor": "c"}
}
SENT = {"idempotency_key": KEY, "version": "7", "carrier": "CJ대한통운", "tracking_number": "1234"}


@pytest.fixture
def desk(front: Front) -> Front:
    front.keep("/", access_token=access_token(roles=("admin",)))
    front.gateway.answer = gateway({**ANSWERS, **LIST})
    return front


async def test_the_list_asks_for_what_was_searched_and_filtered(desk: Front) -> None:
    status, text = await look(desk, "/admin/orders?q=minji@example.com&state=paid&cursor=x")
    assert status == 200 and "100023" in text and "Minji" in text
    assert desk.gateway.seen[-1].target == (
        "/api/orders/all?limit=20&email=minji%40example.com&state=paid&cursor=x&sort=placed_at"
    )
    assert "/admin/orders?q=minji%40example.com&amp;state=paid&amp;cursor=c" in text, "the next page"
    assert 'href="/admin/orders?q=minji%40example.com&amp;state=paid"' in text, "the first page"


@pytest.mark.parametrize(
    ("query", "leads"), [(f"?q={ID}", PAGE), ("?q=100023", PAGE), ("?q=%23100023&state=nothing", PAGE)]
)
async def test_what_names_one_order_leads_to_it(desk: Front, query: str, leads: str) -> None:
    desk.gateway.answer = gateway({"GET /api/orders/all": {"items": [ORDER], "next_cursor": None}})
    async with desk.browser.get(desk.url + "/admin/orders" + query, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, leads)


async def test_other_words_are_looked_for_in_names_and_are_in_no_log(
    desk: Front, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        status, text = await look(desk, "/admin/orders?q=Minji+Kim&state=shipped")
        assert status == 200 and "100023" in text
        await look(desk, "/admin/orders?q=minji@example.com")
    asked = "/api/orders/all?limit=20&recipient=Minji+Kim&state=shipped"
    assert desk.gateway.seen[-2].target == asked
    logged = [{**vars(record), "text": record.getMessage()} for record in caplog.records]
    assert [line for line in logged if line.get("path") == "/admin/orders"]
    assert "minji" not in str([line for line in logged if line["name"].startswith("frontend_proxy")]).lower()


@pytest.mark.parametrize("q", ["m", "a@@b", "m" * 101])
async def test_words_that_no_order_is_found_by_say_what_is(desk: Front, q: str) -> None:
    desk.gateway.answer = gateway({"GET /api/orders/all": 400})
    status, text = await look(desk, f"/admin/orders?q={q}")
    assert status == 200 and "An order is found by its number" in text


async def test_an_order_shows_its_money_its_next_steps_and_who_did_what(desk: Front) -> None:
    status, text = await look(desk, PAGE)
    assert status == 200
    for shown in (
        "₩12,999",
        "-₩1,000",
        "₩11,999",
        "pi_123",
        "Kim the keeper",
        "a scratch",
        "Goodwill",
        "<span>₩1,000",
    ):
        assert shown in text
    assert f'action="{PAGE}/ship"' in text and f'action="{PAGE}/cancel"' in text
    assert f'action="{PAGE}/deliver"' not in text, "what the service would refuse is not offered"


async def test_an_order_is_shown_without_the_parts_that_are_away(desk: Front) -> None:
    desk.gateway.answer = gateway({f"GET /api/orders/{ID}": ORDER})
    status, text = await look(desk, PAGE)
    assert status == 200
    assert "The timeline cannot be shown" in text and "books cannot be read" in text


@pytest.mark.parametrize(
    ("form", "call", "done"),
    [
        ("ship", "shipments", "shipped"),
        ("correct", "shipments/corrections", "corrected"),
        ("deliver", "deliveries", "delivered"),
        ("cancel", "cancel", "cancelled"),
    ],
)
async def test_a_change_carries_its_forms_key_and_version(
    desk: Front, form: str, call: str, done: str
) -> None:
    desk.gateway.answer = gateway({f"POST /api/orders/{ID}/{call}": ORDER})
    assert await send(desk, f"{PAGE}/{form}", SENT) == (303, f"{PAGE}?done={done}", "")
    seen = desk.gateway.seen[-1]
    assert (seen.headers["Idempotency-Key"], seen.headers["If-Match"]) == (KEY, '"7"')
    sent = json.loads(seen.body) if seen.body else None
    assert sent == (
        {"carrier": "CJ대한통운", "tracking_number": "1234"} if form in ("ship", "correct") else None
    )


@pytest.mark.parametrize(
    ("given", "sendable"),
    [
        ({"amount": 9999, "lines": [{"line": 1, "quantity": 3}]}, False),
        ({"amount": 6666, "lines": [{"line": 1, "quantity": 2}]}, True),
        ({"amount": 12999, "lines": []}, False),
        ({"amount": 12999, "lines": [], "state": "failed"}, True),
    ],
    ids=["all goods", "a part", "all money", "a refund that failed"],
)
async def test_what_was_given_back_is_not_offered_to_be_sent(
    desk: Front, given: dict[str, object], sendable: bool
) -> None:
    refund = {**TIMELINE["refunds"][0], "state": "done", **given}
    shown = {**ANSWERS, f"GET /api/orders/{ID}/events": {**TIMELINE, "refunds": [refund]}}
    desk.gateway.answer = gateway(shown)
    _, text = await look(desk, PAGE)
    assert (f'action="{PAGE}/ship"' in text) is sendable
    assert ("send nothing. Cancel it" in text) is not sendable
    assert f'action="{PAGE}/cancel"' in text


async def test_an_order_of_which_no_money_is_left_promises_none_for_its_cancellation(desk: Front) -> None:
    money = {
        "state": "captured",
        "authorised": 12999,
        "captured": 12999,
        "refunded": 9999,
        "refund_pending": 3000,
    }
    order = {**ORDER, "payment": money, "actions": ["cancel"]}
    desk.gateway.answer = gateway({**ANSWERS, f"GET /api/orders/{ID}": order})
    _, text = await look(desk, PAGE)
    assert "Its money was given back already." in text and "goes back to the customer" not in text
    assert "send nothing. Cancel it" in text, "also where no refund of the order's gave it back"


async def test_why_an_order_that_was_given_back_is_not_sent_is_said(desk: Front) -> None:
    said: Said = {"type": "/problems/nothing-to-send", "status": 409}
    desk.gateway.answer = gateway({**ANSWERS, f"POST /api/orders/{ID}/shipments": said})
    status, _, text = await send(desk, f"{PAGE}/ship", SENT)
    assert status == 409 and "there is nothing to send" in text


async def test_a_wrong_tracking_number_is_corrected_beside_the_one_that_was_said(desk: Front) -> None:
    sent = {**ORDER, "state": "shipped", "actions": ["deliver", "correct_shipment", "refund"]}
    said = {"carrier": "CJ", "tracking_number": "9876", "at": AT}
    shown = {
        **ANSWERS,
        f"GET /api/orders/{ID}": sent,
        f"GET /api/orders/{ID}/events": {**TIMELINE, "shipments": [said]},
    }
    desk.gateway.answer = gateway(shown)
    _, text = await look(desk, PAGE)
    assert f'action="{PAGE}/correct"' in text and 'value="9876"' in text
    assert 'class="correct" >' in text, "closed until it is wanted"
    desk.gateway.answer = gateway({**shown, f"POST /api/orders/{ID}/shipments/corrections": 412})
    status, _, text = await send(desk, f"{PAGE}/correct", SENT)
    assert status == 412 and 'class="correct" open>' in text and 'value="1234"' in text
    desk.gateway.answer = gateway(ANSWERS)
    assert f'action="{PAGE}/correct"' not in (await look(desk, PAGE))[1], "nothing was sent yet"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (412, "The order changed while you were looking at it."),
        (409, "This conflicts with something that happened meanwhile."),
        (503, "Part of the shop cannot be reached"),
    ],
)
async def test_a_refused_change_shows_the_order_as_it_is_with_what_was_typed(
    desk: Front, status: int, sentence: str
) -> None:
    desk.gateway.answer = gateway({**ANSWERS, f"POST /api/orders/{ID}/shipments": status})
    answered, _, text = await send(desk, f"{PAGE}/ship", SENT)
    assert answered == status and sentence in text and 'value="1234"' in text
    # Where nobody knows whether it was done, the same key again makes it one.
    assert (KEY in text) == (status == 503)


async def test_a_carrier_that_cannot_be_read_is_said_beside_its_field(desk: Front) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return await gateway(ANSWERS)(request)
        errors = [{"field": "carrier", "code": "blank", "message": "for developers"}]
        return web.json_response({"type": "about:blank", "status": 400, "errors": errors}, status=400)

    desk.gateway.answer = answer
    status, _, text = await send(desk, f"{PAGE}/ship", {**SENT, "carrier": "\u3164"})
    assert status == 400 and 'id="e-carrier"' in text and "spaces alone are not enough" in text


async def test_a_form_that_is_sent_again_meanwhile_gets_the_first_ones_answer(desk: Front) -> None:
    tries = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal tries
        tries += 1
        if tries == 1:
            problem = {"type": "/problems/idempotency-in-progress", "status": 409}
            return web.json_response(problem, status=409)
        return web.json_response(ORDER, status=201)

    desk.gateway.answer = answer
    assert (await send(desk, f"{PAGE}/ship", SENT))[1] == f"{PAGE}?done=shipped"


@pytest.mark.parametrize("path", [PAGE, "/admin/orders"])
async def test_an_order_of_ones_own_is_no_way_into_the_shopkeepers_page(desk: Front, path: str) -> None:
    desk.keep("/", access_token=access_token(roles=("member",)))
    status, text = await look(desk, path)
    assert status == 403 and "You do not have access to this." in text
    assert (await send(desk, f"{PAGE}/ship", SENT))[0] == 403
    assert desk.gateway.seen == []


async def test_an_order_that_is_not_there_is_a_missing_page(desk: Front) -> None:
    desk.gateway.answer = gateway({})
    assert (await look(desk, PAGE))[0] == 404

    async def refuse(_: web.Request) -> web.Response:
        return refusal(403)

    desk.gateway.answer = refuse
    assert (await send(desk, f"{PAGE}/cancel", SENT))[0] == 403


async def test_after_one_order_comes_the_one_that_has_waited_longest(desk: Front) -> None:
    other = "33333333-6c1e-4f0e-9a54-3a1f0a1b2c3d"
    waits = {"items": [{**ORDER, "id": other}], "next_cursor": None}
    desk.gateway.answer = gateway({**ANSWERS, "GET /api/orders/all": waits})
    assert f'href="/admin/orders/{other}"' in (await look(desk, f"{PAGE}?done=shipped"))[1]
    asked = [seen.target for seen in desk.gateway.seen if seen.target.startswith("/api/orders/all")]
    assert asked == ["/api/orders/all?state=paid&sort=placed_at&limit=1"]
    assert f'href="/admin/orders/{other}"' not in (await look(desk, PAGE))[1]


async def test_the_provider_is_asked_under_the_forms_key(desk: Front) -> None:
    desk.gateway.answer = gateway({f"POST /api/payments/{ID}/checks": {"status": 202}})
    assert (await send(desk, f"{PAGE}/check", SENT))[:2] == (303, f"{PAGE}?done=checked")
    assert desk.gateway.seen[-1].headers["Idempotency-Key"] == KEY
