"""Which route wins where several match, as kong/router/transform.lua ranks them."""

from __future__ import annotations

from typing import Any

import pytest

from devstack.gateway import declarative
from devstack.gateway.entities import ConfigError
from devstack.gateway.headers import Headers
from devstack.gateway.router import Router


def router(*routes: dict[str, Any]) -> Router:
    document = {
        "_format_version": "3.0",
        "services": [{"name": "s", "url": "http://s", "routes": list(routes)}],
    }
    return Router(declarative.parse(document).routes)


def winner(
    routes: Router,
    path: str,
    method: str = "GET",
    host: str = "localhost",
    headers: list[tuple[str, str]] | None = None,
) -> str | None:
    match = routes.match(method, host, 8000, path, Headers(headers or []))
    return match.route.name if match else None


def test_more_kinds_of_conditions_go_before_a_longer_path() -> None:
    routes = router(
        {"name": "long", "paths": ["/a/very/long"]}, {"name": "two", "paths": ["/a"], "methods": ["GET"]}
    )
    assert winner(routes, "/a/very/long") == "two"


def test_a_header_goes_before_a_method() -> None:
    routes = router(
        {"name": "method", "paths": ["/a"], "methods": ["POST"]},
        {"name": "header", "paths": ["/a"], "headers": {"K": ["~*.+"]}},
    )
    assert winner(routes, "/a", "POST", headers=[("k", "1")]) == "header"
    assert winner(routes, "/a", "POST") == "method"


def test_a_regular_expression_goes_before_a_prefix_and_is_anchored_at_the_start() -> None:
    routes = router({"name": "prefix", "paths": ["/a/bc"]}, {"name": "regex", "paths": ["~/a/b."]})
    assert winner(routes, "/a/bc") == "regex"
    assert winner(routes, "/x/a/bc") is None


def test_every_named_header_must_match_one_of_its_values() -> None:
    routes = router({"name": "r", "paths": ["/"], "headers": {"A": ["1", "2"], "B": ["~*^x"]}})
    assert winner(routes, "/", headers=[("a", "2"), ("b", "XY")]) == "r"
    assert winner(routes, "/", headers=[("a", "2")]) is None
    assert winner(routes, "/", headers=[("a", "3"), ("b", "x")]) is None
    assert winner(routes, "/", headers=[("a", "3"), ("a", "1"), ("b", "x")]) == "r"


def test_paths_of_one_route_rank_by_their_own_length() -> None:
    routes = router({"name": "one", "paths": ["/", "/deep/er"]}, {"name": "other", "paths": ["/deep"]})
    assert winner(routes, "/deep/er/x") == "one"
    assert winner(routes, "/deep/x") == "other"


@pytest.mark.parametrize(
    ("pattern", "host", "matches"),
    [
        ("shop.example", "shop.example", True),
        ("shop.example", "x.shop.example", False),
        ("*.example", "shop.example", True),
        ("shop.*", "shop.example", True),
        ("shop.example:8000", "shop.example", True),
        ("shop.example:9000", "shop.example", False),
    ],
)
def test_hosts(pattern: str, host: str, matches: bool) -> None:
    assert (winner(router({"name": "h", "hosts": [pattern]}), "/", host=host) == "h") is matches


@pytest.mark.parametrize(
    ("route", "reason"),
    [
        ({"name": "r", "path": ["/a"]}, "route r: unknown field: path"),
        ({"name": "r", "paths": ["a"]}, "route r: the path 'a' begins neither with /"),
        ({"name": "r", "paths": ["~/("]}, "route r: '/(' is not a regular expression"),
        ({"name": "r"}, "route r: must set one of methods, hosts, headers, paths"),
        ({"name": "r", "paths": ["/"], "strip_path": "no"}, "route r: strip_path: expected a boolean"),
        ({"paths": ["/"]}, "a route of service s has no name"),
    ],
)
def test_a_mistake_in_a_route_is_refused_by_name(route: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        router(route)
    assert str(refusal.value).startswith(reason)
