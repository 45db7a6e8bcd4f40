"""The shop, seen from outside the gateway."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack


def named() -> str:
    return f"journey-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def product(stack: Stack, admin: Tokens) -> dict[str, Any]:
    """A new product for sale, ten in stock, in a category of the demo data."""
    slug = named()
    tree = httpx.get(f"{stack.gateway_url}/api/categories").json()["items"]
    body = {
        "category": tree[0]["id"],
        "slug": slug,
        "status": "active",
        "texts": {"ko": {"name": f"여행 {slug}"}, "en": {"name": f"Journey {slug}"}},
        "variants": [{"sku": slug, "price": 12_000}],
    }
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
    made = httpx.post(f"{stack.gateway_url}/api/products", json=body, headers=headers)
    assert made.status_code == 201, made.text
    again = httpx.post(f"{stack.gateway_url}/api/products", json=body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (201, made.json()["id"])
    delivery = {"sku": slug, "change": 10, "reason": "delivery"}
    headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
    adjusted = httpx.post(f"{stack.gateway_url}/api/stock/adjustments", json=delivery, headers=headers)
    assert adjusted.json()["available"] == 10
    document: dict[str, Any] = made.json()
    return document


def test_anybody_finds_shoes_with_prices(stack: Stack) -> None:
    answer = httpx.get(f"{stack.gateway_url}/api/products", params={"q": "운동화"})
    assert answer.status_code == 200
    items = answer.json()["items"]
    assert len(items) >= 4
    assert all("운동화" in item["name"] and item["price"] > 0 and item["currency"] == "KRW" for item in items)
    page = httpx.get(f"{stack.gateway_url}/api/products/{items[0]['slug']}", params={"lang": "en"})
    assert page.json()["variants"]
    assert page.headers["Cache-Control"] == "public, no-cache"
    same = httpx.get(
        f"{stack.gateway_url}/api/products/{items[0]['slug']}",
        params={"lang": "en"},
        headers={"If-None-Match": page.headers["ETag"]},
    )
    assert (same.status_code, same.content) == (304, b"")


@pytest.mark.parametrize("path", ["/api/products", "/api/products/haneul-running-shoes", "/api/categories"])
def test_a_bad_token_is_refused_even_where_none_is_needed(stack: Stack, admin: Tokens, path: str) -> None:
    url = f"{stack.gateway_url}{path}"
    for key in ({}, {"Idempotency-Key": people.new_key()}):
        assert httpx.get(url, headers=key).status_code == 200
        assert httpx.get(url, headers={**admin.bearer, **key}).status_code == 200
        assert httpx.get(url, headers={"Authorization": "Bearer not.a.token", **key}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/products"),
        ("PATCH", "/api/products/x"),
        ("DELETE", f"/api/categories/{uuid.UUID(int=1)}"),
        ("GET", "/api/stock"),
        ("POST", "/api/stock/adjustments"),
        ("GET", "/api/products/documents"),
        ("GET", f"/api/products/{uuid.UUID(int=1)}"),
    ],
)
def test_what_is_the_administrators_needs_their_token(stack: Stack, method: str, path: str) -> None:
    url = f"{stack.gateway_url}{path}"
    assert httpx.request(method, url).status_code == 401
    member = people.new_member()
    registration = {**member, "password": "correct horse battery"}
    httpx.post(f"{stack.auth_url}/api/auth/register", json=registration).raise_for_status()
    tokens = people.sign_in(stack, member["email"], registration["password"])
    assert httpx.request(method, url, headers=tokens.bearer).status_code == 403
    for internal in ("/internal/quotes", "/internal/reservations/x"):
        assert httpx.post(f"{stack.gateway_url}{internal}", headers=tokens.bearer).status_code == 404


def test_a_product_is_changed_by_who_has_seen_it(
    stack: Stack, admin: Tokens, product: dict[str, Any]
) -> None:
    url = f"{stack.gateway_url}/api/products/{product['id']}"
    seen = httpx.get(url, headers=admin.bearer)
    assert seen.headers["ETag"] == '"1"'
    change = {"variants": [{"sku": product["slug"], "price": 9_000, "compare_at_price": 12_000}]}
    for key in ({}, {"Idempotency-Key": people.new_key()}):
        stale = httpx.patch(url, json=change, headers={**admin.bearer, "If-Match": '"7"', **key})
        assert stale.status_code == 412
    headers = {**admin.bearer, "If-Match": seen.headers["ETag"], "Idempotency-Key": people.new_key()}
    changed = httpx.patch(url, json=change, headers=headers)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    page = httpx.get(f"{stack.gateway_url}/api/products/{product['slug']}").json()
    assert (page["price"], page["compare_at_price"], page["availability"]) == (9_000, 12_000, "in_stock")


def test_every_page_of_the_list_is_seen_once(stack: Stack) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = httpx.get(
            f"{stack.gateway_url}/api/products", params={"limit": "7", "sort": "price", **cursor}
        ).json()
        seen += [item["slug"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert len(seen) == len(set(seen)) >= 30
