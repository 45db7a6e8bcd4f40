"""No plugin may keep one user's answer for another: what this project's check refuses though Kong would take it."""

from __future__ import annotations

from devstack.gateway.entities import ConfigError, Configuration, Plugin, Route

_IDENTIFIES = "token-validator"
_CACHES = frozenset({"proxy-cache", "proxy-cache-advanced"})


def refuse_shared_caches(configuration: Configuration) -> None:
    """Raises ConfigError for a cache of Kong's on a route that has a token.

    It tells users apart by Kong's own consumers, which nobody here has: one user would be given another's answer.
    """
    for route in configuration.routes:
        here = [plugin for plugin in configuration.plugins if _covers(plugin, route)]
        if not any(plugin.name == _IDENTIFIES for plugin in here):
            continue
        for plugin in here:
            if plugin.name in _CACHES:
                raise ConfigError(
                    f"plugin {plugin.name}: on the route {route.name} it would give one user's answer to another,"
                    f" since it knows no tokens: take it off every route that has {_IDENTIFIES}",
                    plugin.line,
                )


def _covers(plugin: Plugin, route: Route) -> bool:
    if plugin.route is not None:
        return plugin.route.id == route.id
    return plugin.service is None or plugin.service.id == route.service.id
