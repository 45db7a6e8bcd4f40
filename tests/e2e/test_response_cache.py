"""The gateway's cache from outside: shown to everybody alike, and never older than the last change."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e import people
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack
from tests.waiting import WITHIN


@pytest.fixture
def slug() -> str:
    return f"cached-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def product(stack: Stack, admin: Tokens, slug: str) -> dict[str, Any]:
    category = httpx.get(f"{stack.gateway_url}/api/categories").json()["items"][0]["id"]
    body = {
        "category": category,
        "slug": slug,
        "status": "active",
        "texts": {"ko": {"name": f"보관 {slug}"}},
        "variants": [{"sku": slug, "price": 10_000}],
    }
    made = httpx.post(f"{stack.gateway_url}/api/products", json=body, headers=keyed(admin))
    assert made.status_code == 201, made.text
    document: dict[str, Any] = made.json()
    return document


def keyed(admin: Tokens) -> dict[str, str]:
    return {**admin.bearer, "Idempotency-Key": people.new_key()}


def until_kept(client: httpx.Client, path: str) -> httpx.Response:
    give_up = time.monotonic() + WITHIN
    while time.monotonic() < give_up:
        answer = client.get(path)
        if "hit" in answer.headers.get("Cache-Status", ""):
            return answer
        time.sleep(0.02)
    raise AssertionError(f"never kept: {answer.headers}")


def test_a_price_that_changes_is_seen_and_what_it_was_is_never_seen_again(
    stack: Stack, admin: Tokens, product: dict[str, Any], slug: str
) -> None:
    address = f"{stack.gateway_url}/api/products/{product['id']}"
    with httpx.Client(base_url=stack.gateway_url) as client:
        for price in range(20_000, 20_010):
            until_kept(client, f"/api/products/{slug}")
            variants = [{"sku": slug, "price": price}]
            changed = httpx.patch(
                address,
                json={"variants": variants},
                headers={**keyed(admin), "Content-Type": "application/merge-patch+json", "If-Match": "*"},
            )
            assert changed.status_code == 200, changed.text
            give_up = time.monotonic() + WITHIN
            while (seen := client.get(f"/api/products/{slug}").json()["price"]) != price:
                assert time.monotonic() < give_up, seen
                time.sleep(0.005)
            assert {client.get(f"/api/products/{slug}").json()["price"] for _ in range(5)} == {price}


def test_whoever_asks_gets_the_same_and_a_bad_token_nothing(
    stack: Stack, admin: Tokens, product: dict[str, Any], slug: str
) -> None:
    with httpx.Client(base_url=stack.gateway_url) as client:
        kept = until_kept(client, f"/api/products/{slug}")
        assert client.get(f"/api/products/{slug}", headers=admin.bearer).content == kept.content
        refused = client.get(f"/api/products/{slug}", headers={"Authorization": "Bearer a.b.c"})
        assert refused.status_code == 401
        same = client.get(f"/api/products/{slug}", headers={"If-None-Match": kept.headers["ETag"]})
        assert (same.status_code, same.content) == (304, b"")
        head = client.head(f"/api/products/{slug}")
        assert (head.content, head.headers["ETag"]) == (b"", kept.headers["ETag"])
        assert "hit" in head.headers["Cache-Status"]


def test_those_who_keep_the_catalog_see_what_is_not_for_sale_past_the_cache(
    stack: Stack, admin: Tokens, product: dict[str, Any], slug: str
) -> None:
    address = f"{stack.gateway_url}/api/products/{product['id']}"
    archived = httpx.patch(
        address,
        json={"status": "archived"},
        headers={**keyed(admin), "Content-Type": "application/merge-patch+json", "If-Match": "*"},
    )
    assert archived.status_code == 200, archived.text
    assert httpx.get(address, headers=admin.bearer).json()["status"] == "archived"
    with httpx.Client(base_url=stack.gateway_url) as client:
        give_up = time.monotonic() + WITHIN
        while client.get(f"/api/products/{slug}").status_code != 404:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        again = client.get(f"/api/products/{slug}")
        assert again.json()["request_id"] == again.headers["X-Request-Id"]


_BY_HOST = """
      - name: problems-of-one-host
        hosts: [one.example]
        paths: ["~/problems/[a-z0-9-]+$"]
        strip_path: false
        plugins: &cached [{name: response-cache, config: {vary: [Accept]}}]
      - name: problems-of-another-host
        hosts: [another.example]
        paths: ["~/problems/[a-z0-9-]+$"]
        strip_path: false
        plugins: *cached

  - name: problems-for-who-sends-a-header
    url: "${BFF_URL}"
    plugins: *cached
    routes:
      - name: problems-a
        paths: ["~/problems/[a-z0-9-]+$"]
        strip_path: false
        headers: {X-Shop: [a]}
      - name: problems-b
        paths: ["~/problems/[a-z0-9-]+$"]
        strip_path: false
        headers: {X-Shop: [b]}

plugins:
"""


@pytest.fixture
def template(stack: Stack) -> Iterator[Path]:
    """The stack's own copy, as it was afterwards."""
    if stack.template is None:
        pytest.skip("this stack reads its template from the checkout")
    written = stack.template.read_text()
    yield stack.template
    stack.template.write_text(written)
    stack.restart("kong")


def test_what_was_asked_for_under_one_name_is_not_shown_under_another(
    stack: Stack, slug: str, product: dict[str, Any]
) -> None:
    """Upstream is told the name that was asked for: of an absolute target, the target's."""
    path = f"/api/products/{slug}"

    def cached(target: bytes, host: str) -> str:
        with httpx.Client() as client:
            request = client.build_request(
                "GET", f"{stack.gateway_url}{path}", headers={"Host": host}, extensions={"target": target}
            )
            return client.send(request).headers["Cache-Status"]

    plain, absolute = path.encode(), f"http://one.example{path}".encode()
    give_up = time.monotonic() + WITHIN
    while "hit" not in cached(plain, "another.example"):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    assert "stored" in cached(absolute, "another.example")
    assert "hit" in cached(absolute, "another.example")
    assert "hit" in cached(plain, "another.example:8000")


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ({"Host": "one.example"}, {"Host": "another.example"}),
        ({"X-Shop": "a"}, {"X-Shop": "b"}),
    ],
    ids=["on routes", "on their service"],
)
def test_what_one_route_keeps_is_not_shown_on_another_of_the_same_path(
    stack: Stack, template: Path, one: dict[str, str], another: dict[str, str]
) -> None:
    template.write_text(template.read_text().replace("\nplugins:\n", _BY_HOST, 1))
    stack.restart("kong")

    def asked(headers: dict[str, str]) -> str:
        answer = httpx.get(f"{stack.gateway_url}/problems/token-missing", headers=headers)
        assert answer.status_code == 200
        return answer.headers["Cache-Status"]

    def asked_until(headers: dict[str, str], what: str) -> None:
        give_up = time.monotonic() + WITHIN
        while what not in asked(headers):  # the tags are known a moment after the plugin's start
            assert time.monotonic() < give_up, what
            time.sleep(0.05)

    asked_until(one, "hit")
    assert "stored" in asked(another)
    asked_until(another, "hit")
    assert "hit" in asked(one)
