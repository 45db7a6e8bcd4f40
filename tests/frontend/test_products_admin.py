"""The shopkeeper's products: the list, the form with all that can be wrong with it, and two who edit at once."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from frontend_proxy.pages.products import draft, merging
from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token
from tests.frontend.shopping import look, send
from tests.unit.frontend_proxy.test_product_form import DOCUMENT, fields

ID = "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d12"
PRODUCT: dict[str, Any] = {
    **DOCUMENT,
    "id": ID,
    "images": [],
    "version": 3,
    "created_at": "2026-03-01T09:00:00Z",
    "updated_at": "2026-03-01T09:00:00Z",
}
LISTED = {**PRODUCT, "stock": {"available": 7, "sold_out": 1, "few_left": 0}}
CATEGORIES = {"items": [{"id": DOCUMENT["category"], "slug": "shoes", "name": "Shoes", "children": []}]}
STOCK = {
    "items": [
        {"sku": "A-S", "on_hand": 4, "reserved": 1, "available": 3},
        {"sku": "A-L", "on_hand": 0, "reserved": 0, "available": 0},
    ],
    "next_cursor": None,
}
OWN_TEXT = "Expected `str`"
Wanted = Callable[[web.Request], Awaitable[web.Response]]


def catalog(front: Front, change: web.Response | Wanted | None = None, product: Any = PRODUCT) -> list[Any]:
    """The catalog as it is read; what is sent to it is answered with `change`. Returns what is sent."""
    sent: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        reads = {
            f"/api/products/{ID}": product,
            "/api/products/documents": {"items": [LISTED], "next_cursor": "more"},
            "/api/categories": CATEGORIES,
            "/api/stock": STOCK,
        }
        if request.method == "GET":
            found = reads.get(request.path)
            return web.json_response(found) if found else web.json_response({}, status=404)
        sent.append(
            (request.method, request.path, json.loads(await request.text() or "null"), request.headers)
        )
        if callable(change):
            return await change(request)
        return change or web.json_response(product)

    front.gateway.answer = answer
    front.keep("/", access_token=access_token(roles=("admin",)))
    return sent


def typed(**changes: str) -> dict[str, str]:
    shown = draft.stored(DOCUMENT, "KRW")
    return {**fields(shown), "version": "3", "base": merging.digests(shown), **changes}


def refusing(status: int, **members: Any) -> web.Response:
    return web.json_response({"type": "about:blank", "detail": OWN_TEXT, **members}, status=status)


async def test_the_pages_are_for_administrators_alone(front: Front) -> None:
    sent = catalog(front)
    front.keep("/", access_token=access_token())
    for path in ("", "/new", f"/{ID}", f"/{ID}/delete"):
        status, html = await look(front, f"/admin/products{path}")
        assert (status, "You do not have access to this." in html) == (403, True)
        if path:
            assert (await send(front, f"/admin/products{path}", typed()))[0] == 403
    assert sent == []


async def test_the_list_shows_price_and_stock_and_keeps_what_narrows_it(front: Front) -> None:
    catalog(front)
    status, html = await look(front, f"/admin/products?q=shoe&status=active&category={DOCUMENT['category']}")
    assert status == 200
    assert "신발" in html and "₩89,000" in html and "7 units" in html and "1 sold out" in html
    asked = next(seen.target for seen in front.gateway.seen if "documents" in seen.target)
    assert "q=shoe&status=active&category=" in asked
    assert "&amp;cursor=more" in html


async def test_words_that_cannot_be_searched_for_are_said_in_a_sentence(front: Front) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/api/categories":
            return web.json_response(CATEGORIES)
        error = {"field": "q", "code": "no_words", "message": OWN_TEXT}
        return refusing(400, errors=[error])

    front.gateway.answer = answer
    front.keep("/", access_token=access_token(roles=("admin",)))
    status, html = await look(front, "/admin/products?q=--")
    assert (status, "Please enter a letter or a digit." in html, OWN_TEXT in html) == (400, True, False)
    assert 'value="--"' in html


async def test_a_product_is_made_once_and_its_page_follows(front: Front) -> None:
    sent = catalog(front, web.json_response(PRODUCT, status=201))
    form = typed(idempotency_key="11111111-2222-4333-8444-555555555555", slug="", name_en="Blue Shoe!")
    status, location, _ = await send(front, "/admin/products/new", form)
    assert (status, location) == (303, f"/admin/products/{ID}/pictures?done=created")
    [(method, path, body, headers)] = sent
    assert (method, path, body["slug"]) == ("POST", "/api/products", "blue-shoe")
    assert headers["Idempotency-Key"] == form["idempotency_key"]


async def test_saving_names_the_version_that_the_page_showed(front: Front) -> None:
    sent = catalog(front)
    status, location, _ = await send(front, f"/admin/products/{ID}", typed(v0_price="79,000"))
    assert (status, location) == (303, f"/admin/products/{ID}?done=saved")
    [(method, _, body, headers)] = sent
    assert (method, headers["If-Match"]) == ("PATCH", '"3"')
    assert [each["price"] for each in body["variants"]] == [79000, 91000]


@pytest.mark.parametrize(
    ("language", "blank"), [("en", "spaces alone are not enough"), ("ko", "공백만으로는")]
)
async def test_each_fault_is_a_sentence_beside_its_field_and_what_was_typed_stays(
    front: Front, language: str, blank: str
) -> None:
    errors = [
        {"field": "texts.ko.name", "code": "blank", "message": OWN_TEXT},
        {"field": "texts.ko.description", "code": "too_long", "params": {"max": 10000}, "message": OWN_TEXT},
        {"field": "variants.1.sku", "code": "invalid_sku", "message": OWN_TEXT},
        {"field": "variants.0.compare_at_price", "code": "not_above_price", "message": OWN_TEXT},
        {"field": "options.0.values.1.names.en", "code": "blank", "message": OWN_TEXT},
        {"field": "somewhere.else", "code": "invalid", "message": OWN_TEXT},
    ]
    catalog(front, refusing(400, errors=errors))
    form = typed(name_ko="\u3164 \u200b", brand="Mine", v1_sku="bad sku")
    status, _, html = await send(front, f"/admin/products/{ID}", form, **{"Accept-Language": language})
    assert status == 400
    assert blank in html and "Expected" not in html
    for name in ("name_ko", "description_ko", "v1_sku", "v0_before", "o0_v1_en"):
        assert f'aria-describedby="e-{name}"' in html and f'id="e-{name}"' in html
        assert f'href="#f-{name}"' in html and f'id="f-{name}"' in html
    assert 'value="Mine"' in html and 'value="bad sku"' in html


@pytest.mark.parametrize(
    ("answer", "field", "sentence"),
    [
        (refusing(409, code="slug_taken"), "slug", "Another product has this address"),
        (refusing(409, code="sku_taken", sku="A-L"), "v1_sku", "Another product has this SKU"),
    ],
)
async def test_what_another_product_has_is_said_beside_it(
    front: Front, answer: web.Response, field: str, sentence: str
) -> None:
    catalog(front, answer)
    status, _, html = await send(front, f"/admin/products/{ID}", typed())
    assert status == 409
    assert f'<p class="error" id="e-{field}">{sentence}' in html


async def test_an_amount_that_is_none_is_not_sent(front: Front) -> None:
    sent = catalog(front)
    status, _, html = await send(front, f"/admin/products/{ID}", typed(v0_price="a lot"))
    assert (status, sent) == (400, [])
    assert 'id="e-v0_price">Please enter an amount' in html and 'value="a lot"' in html


async def test_a_new_value_of_an_option_is_shown_in_the_grid_before_it_is_saved(front: Front) -> None:
    sent = catalog(front)
    more = {"o0_v2_code": "", "o0_v2_ko": "아주 큰", "o0_v2_en": "XL"}
    status, _, html = await send(front, f"/admin/products/{ID}", typed(**more))
    assert (status, sent) == (200, [])
    assert "Not saved yet" in html and 'value="SHOE-XL"' in html and 'name="v2_values" value="xl"' in html
    assert 'name="version" value="3"' in html


async def test_two_who_edit_see_what_the_other_changed(front: Front) -> None:
    theirs = {
        **PRODUCT,
        "version": 4,
        "brand": "Theirs",
        "texts": {"ko": {"name": "구두", "description": ""}},
    }

    async def stale(request: web.Request) -> web.Response:
        return refusing(412)

    sent = catalog(front, stale, theirs)
    status, _, html = await send(front, f"/admin/products/{ID}", typed(name_ko="운동화"))
    assert (status, len(sent)) == (412, 1)
    assert "Somebody else changed this product" in html
    assert "구두" in html and 'value="운동화"' in html, "what both changed is for the shopkeeper to decide"
    assert 'value="Theirs"' in html, "what the other alone changed is kept"
    assert 'name="version" value="4"' in html
    # The next save is made from what was shown.
    base = merging.digests(draft.stored(theirs, "KRW"))
    assert json.loads(base)["brand"] in html


async def test_a_second_click_finds_its_own_change_saved(front: Front) -> None:
    async def stale(_: web.Request) -> web.Response:
        return refusing(412)

    sent = catalog(front, stale, {**PRODUCT, "version": 4, "brand": "Mine"})
    status, location, _ = await send(front, f"/admin/products/{ID}", typed(brand="Mine"))
    assert (status, location, len(sent)) == (303, f"/admin/products/{ID}?done=saved", 1)


async def test_pictures_that_came_meanwhile_are_no_conflict(front: Front) -> None:
    async def change(request: web.Request) -> web.Response:
        return refusing(412) if request.headers["If-Match"] == '"3"' else web.json_response(PRODUCT)

    sent = catalog(front, change, {**PRODUCT, "version": 4})
    status, location, _ = await send(front, f"/admin/products/{ID}", typed(brand="Mine"))
    assert (status, location) == (303, f"/admin/products/{ID}?done=saved")
    assert [headers["If-Match"] for *_, headers in sent] == ['"3"', '"4"']


async def test_stock_does_not_go_with_its_sku_unseen(front: Front) -> None:
    sent = catalog(front)
    form = typed(v0_sku="RENAMED")
    status, _, html = await send(front, f"/admin/products/{ID}", form)
    assert (status, sent) == (409, [])
    assert "SKUs that have stock would go" in html and "4 units" in html and 'value="RENAMED"' in html
    status, _, _ = await send(front, f"/admin/products/{ID}", {**form, "confirmed_gone": "A-S"})
    assert (status, len(sent)) == (303, 1)
    # Without stock nobody is asked.
    assert (await send(front, f"/admin/products/{ID}", typed(v1_sku="OTHER")))[0] == 303


async def test_while_the_catalog_is_away_what_was_typed_and_its_key_stay(front: Front) -> None:
    async def away(_: web.Request) -> web.Response:
        return web.json_response({"type": "/problems/upstream-unavailable"}, status=503)

    front.gateway.answer = away
    front.keep("/", access_token=access_token(roles=("admin",)))
    key = "11111111-2222-4333-8444-555555555555"
    form = typed(idempotency_key=key, brand="Typed")
    status, _, html = await send(front, "/admin/products/new", form)
    assert (status, 'value="Typed"' in html, f'value="{key}"' in html) == (503, True, True)


async def test_a_long_description_fits_into_the_form(front: Front) -> None:
    sent = catalog(front)
    long = "가" * 10_000
    form = typed(description_ko=long, description_en=long, name_en="Shoe")
    assert (await send(front, f"/admin/products/{ID}", form))[0] == 303
    assert sent[0][2]["texts"]["en"]["description"] == long
    assert (await send(front, f"/admin/products/{ID}", typed(description_ko="가" * 60_000)))[0] == 413


async def test_a_product_is_deleted_after_a_question_and_not_if_it_changed(front: Front) -> None:
    sent = catalog(front, web.Response(status=204))
    _, html = await look(front, f"/admin/products/{ID}/delete")
    assert "still 4 units on hand" in html
    assert (await send(front, f"/admin/products/{ID}/delete", {"version": "3"}))[:2] == (
        303,
        "/admin/products?done=deleted",
    )
    assert sent[0][3]["If-Match"] == '"3"'
    catalog(front, refusing(412))
    status, _, html = await send(front, f"/admin/products/{ID}/delete", {"version": "2"})
    assert (status, "Somebody else changed" in html) == (412, True)
