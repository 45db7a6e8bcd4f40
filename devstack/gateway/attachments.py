"""What runs for each plugin of a configuration: the stand-in's own, or one in a plugin server."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from devstack.gateway import bundled
from devstack.gateway.entities import ConfigError, Configuration, Plugin
from devstack.gateway.external import ExternalPlugin, PluginServer
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugin_schema import completed
from devstack.gateway.plugins import (
    LUA_PRIORITIES,
    Attachment,
    CorrelationId,
    LuaFunctions,
    RequestSizeLimiting,
    RequestTermination,
)
from devstack.gateway.prometheus import GatewayMetrics, Prometheus
from devstack.gateway.proxy_cache import ProxyCache
from devstack.gateway.rate_limiting import RateLimiting
from devstack.kongside.client import PluginServerClient

# Of each socket, for as long as this process lives: a request under way and a new configuration share the connections.
_clients: dict[str, PluginServerClient] = {}


METRICS = GatewayMetrics()
"""Of this process: a new configuration counts on."""


def attach(
    configuration: Configuration, environment: Mapping[str, str], own: OwnAnswers
) -> tuple[dict[str, Attachment], list[str]]:
    """By plugin id what runs, and the names of bundled ones that do not. Raises ConfigError."""
    servers = plugin_servers(environment)
    attachments: dict[str, Attachment] = {}
    passed_over: set[str] = set()
    for plugin in configuration.plugins:
        if plugin.name in bundled.SCHEMAS:
            attachments[plugin.id] = _own(plugin, _config(plugin, bundled.SCHEMAS[plugin.name]), own)
        elif plugin.name in servers:
            server = servers[plugin.name]
            attachments[plugin.id] = ExternalPlugin(server, plugin, _config(plugin, server.schema), own)
        elif plugin.name in bundled.NAMES:
            passed_over.add(plugin.name)
        else:
            raise ConfigError(f"there is no plugin {plugin.name}", plugin.line)
    return attachments, sorted(passed_over)


def _config(plugin: Plugin, schema: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return completed(plugin.name, schema, plugin.config)
    except ConfigError as error:
        raise ConfigError(str(error), error.line or plugin.line) from error


def _own(plugin: Plugin, config: Mapping[str, Any], own: OwnAnswers) -> Attachment:
    if plugin.name in LUA_PRIORITIES:
        return LuaFunctions(plugin.name, plugin.id, config, own)
    if plugin.name == "request-size-limiting":
        return RequestSizeLimiting(config, own)
    if plugin.name == "request-termination":
        return RequestTermination(config, own)
    if plugin.name == "prometheus":
        return Prometheus(config, METRICS)
    if plugin.name == "proxy-cache":
        return ProxyCache(config)
    if plugin.name == "rate-limiting":
        return RateLimiting(config, own)
    return CorrelationId(config)


def plugin_servers(environment: Mapping[str, str]) -> dict[str, PluginServer]:
    """By plugin name, from KONG_PLUGINSERVER_NAMES and the settings of each. Raises ConfigError."""
    servers = {}
    for name in (environment.get("KONG_PLUGINSERVER_NAMES") or "").split(","):
        if not name.strip():
            continue
        prefix = f"KONG_PLUGINSERVER_{name.strip().upper().replace('-', '_')}"
        dump = _dump(environment[f"{prefix}_QUERY_CMD"])
        first = dump["Plugins"][0]  # Kong uses no other
        servers[first["Name"]] = PluginServer(
            name=first["Name"],
            client=_client(
                environment[f"{prefix}_SOCKET"],
                seconds(environment.get("KONG_NGINX_PROXY_LUA_SOCKET_READ_TIMEOUT", "60s")),
            ),
            phases=tuple(first["Phases"]),
            priority=int(first["Priority"]),
            schema=first["Schema"],
        )
    return servers


def _client(socket: str, read_timeout: float) -> PluginServerClient:
    if socket not in _clients:
        _clients[socket] = PluginServerClient(socket, read_timeout=read_timeout)
    return _clients[socket]


def read_dumps_again() -> None:
    """A plugin server that was restarted may describe another schema."""
    _dump.cache_clear()


@cache
def _dump(command: str) -> dict[str, Any]:
    finished = subprocess.run(shlex.split(command), capture_output=True, check=False)
    try:
        dump: dict[str, Any] = json.loads(finished.stdout)
    except ValueError as error:
        raise ConfigError(f"`{command}` did not print a plugin's description") from error
    if not isinstance(dump, dict) or dump.get("Protocol") != "ProtoBuf:1":
        raise ConfigError(f"`{command}` describes a server that does not speak ProtoBuf:1")
    return dump


def seconds(text: str) -> float:
    """nginx's notation of a time, such as `3s` or `500ms`."""
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)
