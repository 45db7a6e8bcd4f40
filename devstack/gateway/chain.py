"""Which plugins run on a route, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devstack.gateway.entities import Configuration, Plugin, Route
from devstack.gateway.plugins import Attachment

EVERYWHERE = None


@dataclass(frozen=True)
class Chains:
    """By route id, each in the order of execution; EVERYWHERE is for requests without a route."""

    by_route: Mapping[str | None, tuple[Attachment, ...]]

    def for_route(self, route: Route | None) -> tuple[Attachment, ...]:
        return self.by_route[route.id if route else EVERYWHERE]


def build(configuration: Configuration, attachments: Mapping[str, Attachment]) -> Chains:
    """`attachments` by the plugin's id; a plugin that is not among them is passed over."""
    chains: dict[str | None, tuple[Attachment, ...]] = {EVERYWHERE: _chain(configuration, None, attachments)}
    for route in configuration.routes:
        chains[route.id] = _chain(configuration, route, attachments)
    return Chains(chains)


def _chain(
    configuration: Configuration, route: Route | None, attachments: Mapping[str, Attachment]
) -> tuple[Attachment, ...]:
    plugins = in_force(configuration, route).values()
    found = [attachments[plugin.id] for plugin in plugins if plugin.id in attachments]
    return tuple(sorted(found, key=lambda attachment: -attachment.priority))


def in_force(configuration: Configuration, route: Route | None) -> dict[str, Plugin]:
    """Of each plugin, by its name, the one that runs: the most specific (route before service before everywhere)."""
    chosen: dict[str, tuple[int, Plugin]] = {}
    for plugin in configuration.plugins:
        closeness = _closeness(plugin, route)
        if closeness is not None and closeness >= chosen.get(plugin.name, (-1, plugin))[0]:
            chosen[plugin.name] = (closeness, plugin)
    return {name: plugin for name, (_, plugin) in chosen.items()}


def _closeness(plugin: Plugin, route: Route | None) -> int | None:
    if plugin.route is not None:
        return 2 if route is not None and plugin.route.id == route.id else None
    if plugin.service is not None:
        return 1 if route is not None and plugin.service.id == route.service.id else None
    return 0
