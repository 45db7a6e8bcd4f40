"""The shopkeeper's stock: what runs out, the journal of a SKU, and an adjustment that happens once."""

import json
from typing import Any

from aiohttp import web

from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token
from tests.frontend.shopping import look, send

PERSON = "7f3b8a52-6c1e-4f0e-9a54-3a1f0a1b2c3d"
STRANGER = "7f3b8a52-6c1e-4f0e-9a54-3a1f0a1b2c3e"
ORDER = "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d11"
LEVEL: dict[str, Any] = {
    "variant_id": "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d12",
    "sku": "SHOE-250",
    "product_id": "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d13",
    "slug": "shoe",
    "names": {"ko": "신발", "en": "Shoe"},
    "option_names": {"en": "Black / 250"},
    "for_sale": True,
    "on_hand": 5,
    "reserved": 2,
    "available": 3,
    "availability": "few_left",
}
ENTRY = {
    "id": 9,
    "variant_id": LEVEL["variant_id"],
    "sku": "SHOE-250",
    "change": -2,
    "on_hand": 5,
    "reason": "damaged",
    "note": "<b>wet</b>",
    "actor": PERSON,
    "order_id": None,
    "at": "2026-03-01T09:00:00Z",
}
SOLD = {
    **ENTRY,
    "change": -1,
    "on_hand": 7,
    "reason": "sale",
    "note": "",
    "actor": "order",
    "order_id": ORDER,
}
IMPORTED = {**ENTRY, "change": 8, "on_hand": 8, "reason": "count", "note": "", "actor": "import"}
GONE = {**ENTRY, "actor": STRANGER}
TYPED = {
    "reason": "delivery",
    "quantity": "12",
    "note": "",
    "idempotency_key": "11111111-2222-4333-8444-555555555555",
}


def catalog(front: Front, status: int = 201, **members: Any) -> list[Any]:
    """The catalog, with one SKU; adjustments are answered with `status`. Returns what is sent."""
    sent: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        if request.method == "POST":
            sent.append((request.path, json.loads(await request.text()), request.headers["Idempotency-Key"]))
            return web.json_response({"detail": "Expected", **members}, status=status)
        if request.path == "/api/stock":
            items = [LEVEL] if "SHOE-250".startswith(request.query.get("sku", "")) else []
            return web.json_response({"items": items, "next_cursor": "more" if items else None})
        if request.path == "/api/stock/journal":
            return web.json_response({"items": [ENTRY, SOLD, IMPORTED, GONE], "next_cursor": "older"})
        if request.path == f"/api/members/{PERSON}":
            return web.json_response({"name": "Kim Minji"})
        return web.json_response({}, status=404)

    front.gateway.answer = answer
    front.keep("/", access_token=access_token(roles=("admin",)))
    return sent


def asked(front: Front) -> str:
    return next(seen.target for seen in reversed(front.gateway.seen) if seen.target.startswith("/api/stock?"))


async def test_the_list_begins_with_what_runs_out_of_what_is_for_sale(front: Front) -> None:
    catalog(front)
    status, html = await look(front, "/admin/stock")
    assert status == 200 and "Only a few left" in html and "Black / 250" in html
    assert asked(front) == "/api/stock?limit=30&sort=available&for_sale=true"
    assert 'href="/admin/stock?cursor=more"' in html
    await look(front, "/admin/stock?show=low&sku=SHOE")
    assert asked(front) == "/api/stock?limit=30&sort=available&for_sale=true&at_most=5&sku=SHOE"
    _, html = await look(front, f"/admin/stock?product={LEVEL['product_id']}")
    assert asked(front) == f"/api/stock?product_id={LEVEL['product_id']}&limit=100"
    assert 'name="q_SHOE-250"' in html
    assert (await look(front, "/admin/stock?product=x"))[0] == 404


async def test_a_search_for_what_no_sku_can_be_finds_none_and_asks_nobody(front: Front) -> None:
    catalog(front)
    _, html = await look(front, "/admin/stock?sku=%EC%8B%A0%EB%B0%9C")
    assert "No such SKU" in html
    assert not [seen for seen in front.gateway.seen if seen.target.startswith("/api/stock")]


async def test_the_journal_says_who_when_why_and_how_many(front: Front) -> None:
    catalog(front)
    status, html = await look(front, "/admin/stock/SHOE-250")
    assert status == 200
    assert "Kim Minji" in html and "Damaged" in html and "&lt;b&gt;wet" in html
    assert "7 → 5" in html and "−2" in html and "0 → 8" in html and "+8" in html
    assert f'href="/admin/orders/{ORDER}"' in html and "File import" in html
    assert STRANGER[:8] in html, "whose name cannot be had is known by the account"
    assert 'href="/admin/stock/SHOE-250?cursor=older"' in html


async def test_a_sku_that_is_only_the_beginning_of_one_is_none(front: Front) -> None:
    catalog(front)
    for path in ("SHOE", "shoe-250", "-", "a%20b"):
        assert (await look(front, f"/admin/stock/{path}"))[0] == 404


async def test_an_adjustment_has_the_key_of_its_form(front: Front) -> None:
    sent = catalog(front)
    assert (await send(front, "/admin/stock/SHOE-250", TYPED))[:2] == (
        303,
        "/admin/stock/SHOE-250?done=adjusted",
    )
    body = {"sku": "SHOE-250", "reason": "delivery", "note": "", "change": 12}
    assert sent == [("/api/stock/adjustments", body, TYPED["idempotency_key"])]


async def test_what_is_refused_is_said_beside_the_field_and_stays_typed(front: Front) -> None:
    catalog(front, 409, code="below_reserved", reserved=2)
    form = {**TYPED, "reason": "damaged", "quantity": "4", "note": "Mine"}
    status, _, html = await send(front, "/admin/stock/SHOE-250", form)
    assert status == 409 and "2 are promised to orders" in html and "Expected" not in html
    assert 'aria-describedby="e-quantity"' in html and 'value="4"' in html and 'value="Mine"' in html
    catalog(front, 409, code="below_reserved", reserved=0)
    assert "There are not so many." in (await send(front, "/admin/stock/SHOE-250", form))[2]
    catalog(front, 400, errors=[{"field": "note", "code": "too_long", "params": {"max": 200}}])
    status, _, html = await send(front, "/admin/stock/SHOE-250", {**form, "note": "x" * 300})
    assert (status, 'id="e-note">Please use at most 200' in html) == (400, True)
    sent = catalog(front)
    status, _, html = await send(front, "/admin/stock/SHOE-250", {**form, "quantity": "\u3164"})
    assert (status, "Please enter a number of units" in html, sent) == (400, True, [])


async def test_an_adjustment_without_an_answer_keeps_its_key(front: Front) -> None:
    catalog(front, 503)
    status, _, html = await send(front, "/admin/stock/SHOE-250", TYPED)
    assert (status, TYPED["idempotency_key"] in html, 'value="12"' in html) == (503, True, True)


async def test_the_pages_are_for_administrators_alone(front: Front) -> None:
    sent = catalog(front)
    front.keep("/", access_token=access_token())
    for path in ("", "/SHOE-250"):
        assert (await look(front, f"/admin/stock{path}"))[0] == 403
    assert (await send(front, "/admin/stock/SHOE-250", TYPED))[0] == 403
    assert sent == []


async def test_several_skus_are_adjusted_for_one_reason_each_under_a_key_of_its_own(front: Front) -> None:
    sent = catalog(front)
    form = {**TYPED, "product": LEVEL["product_id"], "q_SHOE-250": "7", "q_OTHER": "9", "note": "Note 3"}
    for _ in range(2):
        status, location, _ = await send(front, "/admin/stock", form)
        assert (status, location) == (303, f"/admin/stock?product={LEVEL['product_id']}&done=adjusted")
    (_, body, key), (_, _, again) = sent
    assert body == {"sku": "SHOE-250", "reason": "delivery", "note": "Note 3", "change": 7}
    assert key == again != TYPED["idempotency_key"]


async def test_nothing_of_several_is_sent_while_one_is_no_number(front: Front) -> None:
    sent = catalog(front)
    form = {**TYPED, "product": LEVEL["product_id"]}
    status, _, html = await send(front, "/admin/stock", {**form, "q_SHOE-250": "some"})
    assert (status, 'id="e-q_SHOE-250"' in html, 'value="some"' in html, sent) == (400, True, True, [])
    assert 'href="#f-q_SHOE-250"' in html
    status, _, html = await send(front, "/admin/stock", {**form, "q_SHOE-250": " "})
    assert (status, "at least one quantity" in html, sent) == (400, True, [])
    catalog(front, 409, code="below_reserved", reserved=2)
    status, _, html = await send(front, "/admin/stock", {**form, "reason": "lost", "q_SHOE-250": "4"})
    assert (status, "2 are promised to orders" in html, 'value="4"' in html) == (409, True, True)
    catalog(front, 503)
    status, _, html = await send(front, "/admin/stock", {**form, "q_SHOE-250": "4"})
    assert (status, TYPED["idempotency_key"] in html) == (503, True)
