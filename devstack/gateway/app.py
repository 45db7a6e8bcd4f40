"""The stand-in, put together from the environment that Kong would be started with."""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from devstack.gateway import admission, advertised, chain, declarative, own_answers
from devstack.gateway.admin import Admin
from devstack.gateway.entities import ConfigError, Configuration
from devstack.gateway.external import ExternalPlugin, PluginServer
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.plugin_schema import completed
from devstack.gateway.plugins import (
    LUA_PRIORITIES,
    Attachment,
    CorrelationId,
    LuaFunctions,
    RequestSizeLimiting,
)
from devstack.gateway.proxy import Limits, Proxy
from devstack.gateway.router import Router
from devstack.gateway.upstream import Upstream
from devstack.kongside.client import PluginServerClient


@dataclass(frozen=True)
class Listen:
    host: str
    port: int


async def serve(environment: Mapping[str, str], stop: asyncio.Event) -> None:
    """Listen until `stop`. Raises ConfigError for what Kong would refuse to start with."""
    configuration = declarative.load(Path(environment["KONG_DECLARATIVE_CONFIG"]))
    own = OwnAnswers(
        own_answers.read_templates(environment), environment.get("KONG_ERROR_DEFAULT_TYPE", "text/plain")
    )
    attachments, passed_over = attach(configuration, environment, own)
    print("stand-in for Kong: a development aid, not for traffic", flush=True)
    if passed_over:
        print(f"stand-in for Kong: passes over these plugins: {', '.join(passed_over)}", flush=True)

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                # A name is looked up again soon, since nothing here watches whether its addresses are well.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ttl_dns_cache=1),
            )
        )
        proxy = Proxy(
            router=Router(configuration.routes),
            chains=chain.build(configuration, attachments),
            upstream=Upstream(session, configuration.upstreams),
            own=own,
            limits=Limits(
                admission.size(environment.get("KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE", "0")),
                environment.get("KONG_NGINX_PROXY_UNDERSCORES_IN_HEADERS", "on") != "off",
            ),
            headers=advertised.enabled(environment.get("KONG_HEADERS")),
        )
        server = web.Server(proxy.handle, keepalive_timeout=75, max_line_size=32768, max_field_size=32768)
        admin = web.Server(Admin(configuration, lambda: server.requests_count).handle)
        for handler, setting, default in (
            (server, "KONG_PROXY_LISTEN", "0.0.0.0:8000"),
            (admin, "KONG_ADMIN_LISTEN", "127.0.0.1:8001"),
        ):
            runner = web.ServerRunner(handler)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            for address in listens(environment.get(setting) or default):
                await web.TCPSite(runner, address.host, address.port).start()
        await stop.wait()


def listens(setting: str) -> list[Listen]:
    """The addresses of a Kong listen setting; their options (`reuseport`) are nginx's own."""
    if setting.strip() == "off":
        return []
    addresses = [entry.split()[0].rpartition(":") for entry in setting.split(",")]
    return [Listen(host.strip("[]"), int(port)) for host, _, port in addresses]


def attach(
    configuration: Configuration, environment: Mapping[str, str], own: OwnAnswers
) -> tuple[dict[str, Attachment], list[str]]:
    """By plugin id what runs, and the names of what does not. Raises ConfigError."""
    servers = plugin_servers(environment)
    attachments: dict[str, Attachment] = {}
    passed_over: set[str] = set()
    for plugin in configuration.plugins:
        if plugin.name == "correlation-id":
            attachments[plugin.id] = CorrelationId(plugin.config)
        elif plugin.name == "request-size-limiting":
            attachments[plugin.id] = RequestSizeLimiting(plugin.config, own)
        elif plugin.name in LUA_PRIORITIES:
            attachments[plugin.id] = LuaFunctions(plugin.name, plugin.id, plugin.config, own)
        elif plugin.name in servers:
            server = servers[plugin.name]
            config = completed(plugin.name, server.schema, plugin.config)
            attachments[plugin.id] = ExternalPlugin(server, plugin, config, own)
        else:
            passed_over.add(plugin.name)
    return attachments, sorted(passed_over)


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
            client=PluginServerClient(
                environment[f"{prefix}_SOCKET"],
                read_timeout=seconds(environment.get("KONG_NGINX_PROXY_LUA_SOCKET_READ_TIMEOUT", "60s")),
            ),
            phases=tuple(first["Phases"]),
            priority=int(first["Priority"]),
            schema=first["Schema"],
        )
    return servers


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
