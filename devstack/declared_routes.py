"""Whether kong.yml.template routes what gatehouse.toml declares, and opens nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from devstack.declaration import FILE, Declaration, by_address
from devstack.gateway.entities import Configuration, Route

AUTHENTICATION = "token-validator"


def faults(configuration: Configuration, found: Declaration) -> Iterator[str]:
    """What is out of step, and what to do about it."""
    known = by_address(found)
    routed: set[str] = set()
    opened: dict[str, set[str]] = {}
    for route in configuration.routes:
        process = known.get(f"{route.service.host}:{route.service.port}")
        if process is None:
            yield (
                f"the route {route.name} leads to {route.service.host}:{route.service.port}, "
                f"which no service of {FILE} is: declare it there, or remove the route"
            )
            continue
        routed.add(process.name)
        if not _closed(route, configuration):
            opened.setdefault(process.name, set()).update(_described(route))
    for process in found.routed:
        if process.name not in routed:
            yield (f"{process.name} has no route: add one, or say `routed = false` in its entry of {FILE}")
        public = opened.get(process.name, set())
        for entry in sorted(public - set(process.public)):
            yield (
                f"{entry} of {process.name} needs no token, which nobody decided: give its service the plugin "
                f"{AUTHENTICATION}, or list it as public in {FILE}"
            )
        for entry in sorted(set(process.public) - public):
            yield f"{FILE} lists {entry} of {process.name} as public, and no open route has it: remove the entry"


def _closed(route: Route, configuration: Configuration) -> bool:
    """Whether this route needs a token. Kong takes a route's own plugin, then its service's, then a global one."""
    own = [
        p for p in configuration.plugins if p.name == AUTHENTICATION and p.route and p.route.id == route.id
    ]
    services = [
        p
        for p in configuration.plugins
        if p.name == AUTHENTICATION and p.service and p.service.id == route.service.id
    ]
    everywhere = [
        p for p in configuration.plugins if p.name == AUTHENTICATION and not p.route and not p.service
    ]
    deciding = (own or services or everywhere)[:1]
    return any(not plugin.config.get("optional") for plugin in deciding)


def _described(route: Route) -> set[str]:
    methods = ",".join(route.methods)
    return {f"{methods} {path}".strip() for path in route.paths or ("/",)}
