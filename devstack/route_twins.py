"""Routes come in twins, one for requests with an idempotency key and one for the rest: what must be equal in both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations

from devstack.gateway.entities import ConfigError, Configuration, Route

KEY_HEADER = "idempotency-key"
"""What twins match on: `pre-function` copies X-Idempotency-Key into it before Kong routes a request."""
_ANSWERS_REPEATS = "idempotency"


def refuse_unlike_twins(configuration: Configuration) -> None:
    """Raises ConfigError where some requests would get round a plugin, or find no route, for a header that they have.

    Routes that match the same requests but for a header carry the same plugins, idempotency apart. A route that matches
    on the key is one of exactly two: it has idempotency, the other one takes the requests without a key.
    """
    plugins = _plugins_by_route(configuration)
    for routes in _by_address(configuration.routes):
        for one, other in combinations(routes, 2):
            if one.headers != other.headers and _share_a_method(one, other):
                _same_plugins(one, other, plugins)
        keyed = [route for route in routes if _matches_on_a_key(route)]
        for one, other in combinations(keyed, 2):
            if _share_a_method(one, other):
                raise ConfigError(
                    f"the routes {one.name} and {other.name} match one idempotency key: keep the one that matches on "
                    "Idempotency-Key (X-Idempotency-Key is copied into it)"
                )
        for twin in keyed:
            _has_the_header(twin)
            _has_one_twin(twin, [route for route in routes if route not in keyed])
            if _ANSWERS_REPEATS not in set(plugins[twin.id]) | _on_every_route(configuration, twin):
                raise ConfigError(
                    f"the route {twin.name} has no plugin idempotency: its keys would do nothing"
                )


def _by_address(routes: list[Route]) -> Iterator[list[Route]]:
    groups: dict[str, list[Route]] = {}
    for route in routes:
        groups.setdefault(str((route.service.id, sorted(route.hosts), sorted(route.paths))), []).append(route)
    yield from groups.values()


def _share_a_method(one: Route, other: Route) -> bool:
    return not one.methods or not other.methods or bool(set(one.methods) & set(other.methods))


def _matches_on_a_key(route: Route) -> bool:
    return any(name.lower().endswith(KEY_HEADER) for name in route.headers)


def _plugins_by_route(configuration: Configuration) -> dict[str, dict[str, str]]:
    """By the route's id: each plugin's name and configuration."""
    plugins: dict[str, dict[str, str]] = {route.id: {} for route in configuration.routes}
    for plugin in configuration.plugins:
        if plugin.route is not None:
            plugins[plugin.route.id][plugin.name] = json.dumps(plugin.config, sort_keys=True, default=str)
    return plugins


def _on_every_route(configuration: Configuration, route: Route) -> set[str]:
    """The plugins on the route's service, and everywhere."""
    return {
        plugin.name
        for plugin in configuration.plugins
        if plugin.route is None and (plugin.service is None or plugin.service.id == route.service.id)
    }


def _same_plugins(one: Route, other: Route, plugins: Mapping[str, Mapping[str, str]]) -> None:
    different = {name for name, _ in plugins[one.id].items() ^ plugins[other.id].items()} - {_ANSWERS_REPEATS}
    if different:
        raise ConfigError(
            f"the routes {one.name} and {other.name} differ in a header alone, and in the plugins "
            f"{', '.join(sorted(different))}: give both the same"
        )


def _has_the_header(twin: Route) -> None:
    if KEY_HEADER not in {name.lower() for name in twin.headers}:
        raise ConfigError(
            f"the route {twin.name} does not match where a client sends Idempotency-Key: name that header, "
            "X-Idempotency-Key is copied into it"
        )


def _has_one_twin(keyed: Route, plain: list[Route]) -> None:
    """The other one may have more methods: reading need not be kept under a key."""
    others = [
        route
        for route in plain
        if not route.methods or (keyed.methods and {*keyed.methods} <= {*route.methods})
    ]
    treatments = {(route.strip_path, route.preserve_host) for route in (keyed, *others)}
    if len(others) != 1 or len(treatments) != 1:
        raise ConfigError(
            f"the route {keyed.name} matches on an idempotency key: it needs one twin that differs in that header alone"
        )
