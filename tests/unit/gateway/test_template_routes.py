"""The routes of kong.yml.template: what passes which plugins, and what is closed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from devstack.gateway.entities import Configuration
from tests.unit.gateway.template import PUBLIC, ROOT, VALUES


@pytest.mark.parametrize(
    "path",
    [
        "/api/home",
        "/api/me",
        "/api/members",
        "/api/members/1",
        "/api/auth/me",
        "/api/auth/sessions",
        "/api/auth/verify",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
def test_needs_a_token(plugins_on: Callable[..., list[str]], method: str, path: str) -> None:
    assert plugins_on(method, path) == ["token-validator"]
    assert plugins_on(method, path, Idempotency_Key="k") == ["token-validator", "idempotency"]
    assert plugins_on(method, path, X_Idempotency_Key="k") == ["token-validator", "idempotency"]
    assert plugins_on(method, path, Idempotency_Key="k", X_Idempotency_Key='"k"') == [
        "token-validator",
        "idempotency",
    ]


@pytest.mark.parametrize("path", ["/api/products", "/api/products/1", "/api/categories", "/api/categories/1"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_anybody_reads_the_catalog_and_a_token_is_looked_at(
    configuration: Configuration, plugins_on: Callable[..., list[str]], method: str, path: str
) -> None:
    for key in ({}, {"Idempotency_Key": "k"}, {"X_Idempotency_Key": "k"}):
        assert plugins_on(method, path, **key) == ["token-validator"]
    (validator,) = [
        plugin
        for plugin in configuration.plugins
        if plugin.service is not None and plugin.service.name == "catalog-public"
    ]
    assert validator.config["optional"] is True


@pytest.mark.parametrize(
    "path", ["/api/products", "/api/products/1", "/api/categories/1", "/api/stock/adjustments"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_changes_of_the_catalog_need_a_token(
    services_of: Callable[..., str | None], plugins_on: Callable[..., list[str]], method: str, path: str
) -> None:
    assert services_of(method, path) == services_of(method, path, Idempotency_Key="k") == "catalog"
    assert plugins_on(method, path) == ["token-validator"]
    assert plugins_on(method, path, Idempotency_Key="k") == ["token-validator", "idempotency"]
    assert plugins_on(method, path, X_Idempotency_Key="k") == ["token-validator", "idempotency"]


def test_only_the_public_reads_of_the_catalog_need_no_token(services_of: Callable[..., str | None]) -> None:
    assert services_of("GET", "/api/products") == services_of("GET", "/api/products", Idempotency_Key="k")
    assert services_of("GET", "/api/products") == "catalog-public"
    for method, path in (("GET", "/api/stock"), ("OPTIONS", "/api/products"), ("GET", "/api/stock/journal")):
        assert services_of(method, path) == "catalog"


ORDER = "/api/orders/01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize("path", [ORDER, f"{ORDER}/events"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_mailed_link_opens_an_order_without_a_token_and_a_bad_one_is_refused(
    configuration: Configuration,
    services_of: Callable[..., str | None],
    plugins_on: Callable[..., list[str]],
    method: str,
    path: str,
) -> None:
    for key in ({}, {"Idempotency_Key": "k"}):
        assert services_of(method, path, **key) == "order-public"
        assert plugins_on(method, path, **key) == ["token-validator"]
    (validator,) = [
        plugin
        for plugin in configuration.plugins
        if plugin.service is not None and plugin.service.name == "order-public"
    ]
    assert validator.config["optional"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/orders"),
        ("GET", "/api/orders/all"),
        ("GET", f"{ORDER}/eventsx"),
        ("GET", f"{ORDER}/refunds"),
        ("GET", "/api/cart"),
        ("PUT", "/api/cart/items/SHOE-250"),
        ("POST", "/api/orders"),
        ("POST", f"{ORDER}/payment"),
        ("DELETE", ORDER),
    ],
)
def test_everything_else_about_orders_needs_a_token(
    services_of: Callable[..., str | None], plugins_on: Callable[..., list[str]], method: str, path: str
) -> None:
    assert services_of(method, path) == "order"
    assert plugins_on(method, path) == ["token-validator"]
    keyed = ["token-validator", *(["idempotency"] if method != "GET" else [])]
    assert plugins_on(method, path, Idempotency_Key="k") == keyed


@pytest.mark.parametrize("service", ["auth", "catalog", "member", "order", "payment"])
def test_what_a_service_could_not_deliver_is_asked_of_that_service(
    services_of: Callable[..., str | None], plugins_on: Callable[..., list[str]], service: str
) -> None:
    path = f"/api/outbox/{service}"
    assert services_of("GET", path) == services_of("POST", f"{path}/1/retries") == service
    assert plugins_on("GET", path)[0] == "token-validator"
    assert "idempotency" in plugins_on("POST", f"{path}/1/retries", Idempotency_Key="k")


def test_what_needs_no_token_at_auth_is_what_is_looked_at_once_more() -> None:
    """Two lists of one thing: a path that is in the route alone is refused as a contradiction."""
    text = (ROOT / "kong.yml.template").read_text()
    (route,) = re.findall(r"~/api/auth/\(\?:([a-z/|]+)\)\$", text)
    open_ = re.findall(r'\["/api/auth/([a-z/]+)"\] = true', text)
    assert sorted(open_) == sorted(route.split("|")) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_needs_no_token(plugins_on: Callable[..., list[str]], name: str) -> None:
    assert plugins_on("POST", f"/api/auth/{name}") == []
    assert plugins_on("POST", f"/api/auth/{name}", Idempotency_Key="k") == ["idempotency"]
    assert plugins_on("POST", f"/api/auth/{name}", X_Idempotency_Key="k") == ["idempotency"]


def test_what_a_problem_means_is_read_without_a_token(plugins_on: Callable[..., list[str]]) -> None:
    for document in (ROOT / "docs" / "problems").glob("*.md"):
        assert plugins_on("GET", f"/problems/{document.stem}") == []
        assert plugins_on("HEAD", f"/problems/{document.stem}") == []
        assert plugins_on("POST", f"/problems/{document.stem}") is None
    for path in (
        "/problems",
        "/problems/",
        "/problems/a/b",
        "/problems/../api/home",
        "/problems/a%2e",
        "/problems/a|b",
    ):
        assert plugins_on("GET", path) is None


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("tail", ["/", "x", "/more", "/../me"])
def test_what_only_begins_like_a_public_path_needs_a_token(
    plugins_on: Callable[..., list[str]], name: str, tail: str
) -> None:
    assert plugins_on("POST", f"/api/auth/{name}{tail}") == ["token-validator"]
    assert plugins_on("GET", f"/api/auth/{name}") == ["token-validator"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/internal/accounts/1/status",
        "/internal",
        "/api/internal/x",
        "/api",
        "/api/mex",
        "/docs",
        "/metrics",
    ],
)
def test_is_not_routed(plugins_on: Callable[..., list[str]], path: str) -> None:
    assert plugins_on("GET", path) is None
    assert plugins_on("PUT", path, Idempotency_Key="k") is None


def test_every_service_but_the_public_one_is_closed(configuration: Configuration) -> None:
    closed = {
        plugin.service.name
        for plugin in configuration.plugins
        if plugin.service is not None and plugin.name == "token-validator"
    }
    open_to_all = {service.name for service in configuration.services} - closed
    assert open_to_all == {"auth-public", "payment-public", "problems"}


def test_a_slow_upstream_ends_before_the_reservation_of_its_key_does(configuration: Configuration) -> None:
    for service in configuration.services:
        attempts = service.retries + 1
        assert attempts * (service.connect_timeout + service.read_timeout) < 30000


def test_services_go_by_dns_alone(rendered: Path) -> None:
    """An upstream entity would be looked up again only half a minute after its name was unknown once."""
    document = yaml.safe_load(rendered.read_text())
    assert "upstreams" not in document
    urls = {service["url"] for service in document["services"]}
    assert urls == {
        value for name, value in VALUES.items() if name.endswith("_URL") and name != "AUTH_JWKS_URL"
    }
