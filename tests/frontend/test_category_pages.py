"""The shopkeeper's categories: the tree, its forms, and what is refused."""

import json
from typing import Any

from aiohttp import web

from tests.frontend.conftest import Front
from tests.frontend.doubles import access_token
from tests.frontend.shopping import look, send

ID = "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d12"
ABOVE = "0d7f7a0e-1d3c-4b0e-9d0a-0f5c4a4b0d13"
CATEGORY: dict[str, Any] = {
    "id": ID,
    "parent": None,
    "slug": "boots",
    "position": 2,
    "names": {"ko": "부츠"},
    "version": 3,
}
TREE = {
    "items": [
        {
            "id": ABOVE,
            "slug": "shoes",
            "name": "Shoes",
            "children": [{"id": ID, "slug": "boots", "name": "Boots", "children": []}],
        }
    ]
}
TYPED = {"name_ko": "부츠", "name_en": "Boots", "slug": "", "parent": ABOVE, "position": "", "version": "3"}


def catalog(front: Front, status: int, stored: dict[str, Any] = CATEGORY, **members: Any) -> list[Any]:
    sent: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response(TREE if request.path == "/api/categories" else stored)
        sent.append(
            (request.method, request.path, json.loads(await request.text() or "null"), request.headers)
        )
        if status == 204:
            return web.Response(status=204)
        return web.json_response({"detail": "Expected", **members}, status=status)

    front.gateway.answer = answer
    front.keep("/", access_token=access_token(roles=("admin",)))
    return sent


async def test_the_tree_is_listed_with_the_way_to_each_ones_products(front: Front) -> None:
    catalog(front, 200)
    status, html = await look(front, "/admin/categories")
    assert status == 200 and "Shoes › Boots" in html
    assert f'href="/admin/products?category={ID}"' in html


async def test_a_category_is_made_and_changed(front: Front) -> None:
    sent = catalog(front, 201)
    assert (await send(front, "/admin/categories/new", TYPED))[:2] == (303, "/admin/categories?done=created")
    body = {"slug": "boots", "names": {"ko": "부츠", "en": "Boots"}, "parent": ABOVE, "position": 0}
    assert sent[0][:3] == ("POST", "/api/categories", body)
    sent = catalog(front, 200)
    changed = {**TYPED, "parent": "", "position": "7", "slug": "winter-boots"}
    assert (await send(front, f"/admin/categories/{ID}", changed))[:2] == (
        303,
        "/admin/categories?done=saved",
    )
    [(method, _, body, headers)] = sent
    assert (method, headers["If-Match"], body["parent"], body["position"]) == ("PUT", '"3"', None, 7)


async def test_a_category_is_no_choice_for_its_own_parent(front: Front) -> None:
    catalog(front, 200)
    _, html = await look(front, f"/admin/categories/{ID}")
    assert f'<option value="{ABOVE}"' in html and f'<option value="{ID}"' not in html


async def test_what_is_wrong_is_said_beside_the_field(front: Front) -> None:
    errors = [
        {"field": "names.ko", "code": "blank"},
        {"field": "slug", "code": "invalid_slug"},
        {"field": "parent", "code": "inside_itself"},
    ]
    catalog(front, 400, errors=errors)
    form = {**TYPED, "name_ko": "\u3164", "slug": "No Slug"}
    status, _, html = await send(front, f"/admin/categories/{ID}", form)
    assert status == 400 and "Expected" not in html and 'value="No Slug"' in html
    for name in ("name_ko", "slug", "parent"):
        assert f'id="e-{name}"' in html and f'aria-describedby="e-{name}"' in html
    catalog(front, 409, code="slug_taken")
    assert "Another category has this address" in (await send(front, "/admin/categories/new", TYPED))[2]
    sent = catalog(front, 200)
    status, _, html = await send(front, f"/admin/categories/{ID}", {**TYPED, "position": "first"})
    assert (status, 'id="e-position"' in html, sent) == (400, True, [])
    catalog(front, 400, errors=[{"field": "names", "code": "missing_language"}])
    assert 'id="e-name_ko"' in (await send(front, "/admin/categories/new", {**TYPED, "name_ko": ""}))[2]


async def test_what_somebody_else_stored_is_shown_beside_what_was_typed(front: Front) -> None:
    theirs = {**CATEGORY, "names": {"ko": "장화"}, "slug": "boots", "version": 4}
    catalog(front, 412, theirs)
    status, _, html = await send(front, f"/admin/categories/{ID}", TYPED)
    assert status == 412 and "Stored now: 장화" in html and 'value="부츠"' in html
    assert 'name="version" value="4"' in html
    same = {**TYPED, "name_en": "", "slug": "boots", "parent": "", "position": "2"}
    catalog(front, 412)
    assert (await send(front, f"/admin/categories/{ID}", same))[0] == 303, "its own change, sent twice"


async def test_a_category_in_use_is_not_deleted_and_the_page_says_what_to_do(front: Front) -> None:
    catalog(front, 409)
    status, _, html = await send(front, f"/admin/categories/{ID}/delete", {"version": "3"})
    assert (status, "Please move them first." in html) == (409, True)
    catalog(front, 412)
    assert (await send(front, f"/admin/categories/{ID}/delete", {"version": "2"}))[0] == 412
    sent = catalog(front, 204)
    assert (await send(front, f"/admin/categories/{ID}/delete", {"version": "3"}))[:2] == (
        303,
        "/admin/categories?done=deleted",
    )
    assert sent[0][3]["If-Match"] == '"3"'


async def test_what_was_typed_stays_while_the_catalog_is_away_and_nobody_else_gets_in(front: Front) -> None:
    catalog(front, 503)
    status, _, html = await send(front, "/admin/categories/new", TYPED)
    assert (status, 'value="부츠"' in html) == (503, True)
    sent = catalog(front, 200)
    front.keep("/", access_token=access_token())
    for path in ("", "/new", f"/{ID}", f"/{ID}/delete"):
        assert (await look(front, f"/admin/categories{path}"))[0] == 403
        if path:
            assert (await send(front, f"/admin/categories{path}", TYPED))[0] == 403
    assert sent == []
