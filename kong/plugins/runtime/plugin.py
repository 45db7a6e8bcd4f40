"""A plugin module as the runtime serves it, and what Kong is told about it.

A `Plugin` with a method `attached_to(route)` is told, before its lifespan, the id of the route that it is on (None: on
a service or everywhere), and is shared with no other route: what it keeps is of one route.
"""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import msgspec

from kong.plugins.runtime import configuration
from kong.plugins.runtime.errors import PluginError
from kong.plugins.runtime.pdk import Kong

with warnings.catch_warnings():
    # kong-pdk reads the locale in a way that Python 3.11 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kong_pdk.module import Module

Phase: TypeAlias = Callable[[Kong], Awaitable[None]]
Lifespan: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]

PROTOCOL = "ProtoBuf:1"
CONSUMER_FOUND = 1000
"""The lowest priority of Kong's own authentication plugins. What runs before them is not yet asked for a consumer's
configuration, so a plugin that judges tokens would be left out without a word."""
_OF_NO_CONSUMER = ({"consumer": {"type": "foreign", "reference": "consumers", "eq": None}},)
"""As Kong's own plugins say it (`typedefs.no_consumer`)."""
PHASES = frozenset(("certificate", "rewrite", "access", "response"))


@dataclass(frozen=True)
class ServedPlugin:
    """One plugin: its module's facts, and how to make an instance of it."""

    name: str
    version: str
    priority: int
    phases: tuple[str, ...]
    schema: list[Mapping[str, Any]]
    make: Callable[[dict[str, Any]], Any]
    per_route: bool = False
    """Whether two routes of one configuration have a plugin each, which `attached_to` tells its route."""

    @property
    def fields(self) -> frozenset[str]:
        """The names of the plugin's own configuration fields."""
        return frozenset(name for field in self.schema for name in field)

    def kong_schema(self) -> dict[str, Any]:
        """What Kong holds a configuration against; on a consumer it is refused where the plugin would never run."""
        config = {"config": {"type": "record", "fields": self.schema}}
        return {
            "name": self.name,
            "fields": [config, *(_OF_NO_CONSUMER if self.priority >= CONSUMER_FOUND else ())],
        }

    def dump(self) -> str:
        """What Kong's `pluginserver_*_query_cmd` has to print."""
        info = {
            "Name": self.name,
            "Phases": list(self.phases),
            "Priority": self.priority,
            "Version": self.version,
            "Schema": self.kong_schema(),
        }
        return json.dumps({"Protocol": PROTOCOL, "Plugins": [info]})


def load(name: str, package: str) -> ServedPlugin:
    """The plugin `name`: module `<package>.<name with underscores>.plugin`. Raises PluginError."""
    path = f"{package}.{name.replace('-', '_')}.plugin"
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and (path == error.name or path.startswith(f"{error.name}.")):
            raise PluginError(f"no plugin {name}: there is no module {path}") from None
        raise
    return served(name, module)


def served(name: str, module: ModuleType) -> ServedPlugin:
    """Check a plugin module. Raises PluginError."""
    if not isinstance(getattr(module, "Plugin", None), type):
        raise PluginError(f"{module.__name__} has no class Plugin")
    model = Module(name, module=module)
    if "log" in model.phases:
        # A failure in Kong's log timer leaves one request's data to be read by another request.
        raise PluginError(f"{name} has a log phase, which Kong does not run safely outside its own process")
    if unknown := set(model.phases) - PHASES:
        raise PluginError(f"{name} has phases that cannot be served: {', '.join(sorted(unknown))}")
    if not model.phases:
        raise PluginError(f"{name} has no phase")
    if not isinstance(model.version, str):
        raise PluginError(f"{name} has no version")
    schema, made_of = _configuration(name, module)
    return ServedPlugin(
        name=name,
        version=model.version,
        priority=model.priority,
        phases=tuple(model.phases),
        schema=schema,
        make=lambda given: model.new(made_of(given)).cls,
        per_route=hasattr(module.Plugin, "attached_to"),
    )


def _configuration(
    name: str, module: ModuleType
) -> tuple[list[Mapping[str, Any]], Callable[[dict[str, Any]], object]]:
    """Kong's schema, and what `Plugin` is made of: a `Config` where the module has one, else what Kong sent."""
    config = getattr(module, "Config", None)
    if config is None:
        return list(getattr(module, "Schema", ())), lambda given: given
    if not (isinstance(config, type) and issubclass(config, msgspec.Struct)):
        raise PluginError(f"{name}: Config is no msgspec.Struct")
    if hasattr(module, "Schema"):
        raise PluginError(f"{name} has a Schema beside its Config, which Kong's schema is derived from")
    return list(configuration.schema(config)), lambda given: configuration.read(config, given)
