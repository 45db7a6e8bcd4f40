"""The reading part of Kong's Admin API, for the eyes of people and tools that expect it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from devstack.gateway.admin_guard import refusal
from devstack.gateway.entities import Plugin, Route, Service
from devstack.gateway.in_force import InForce
from devstack.gateway.paths import normalized

EDITION = "stand-in"


class Admin:
    def __init__(self, in_force: InForce, requests: Callable[[], int]) -> None:
        self._in_force = in_force
        self.requests = requests
        self._began = int(time.time())

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """An aiohttp handler."""
        if len(request.headers.getall("Host", [])) > 1:
            return web.json_response({"message": "Bad request"}, status=400)  # nginx' answer
        refused = refusal(request.method, request.raw_path, normalized(request.path), request.headers)
        if refused is not None:
            return web.json_response({"message": refused.message}, status=refused.status)
        return self.show(request)

    def show(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer, whoever asks."""
        body = self._answer([part for part in request.path.split("/") if part])
        if body is None:
            return web.json_response({"message": "Not found"}, status=404)
        return web.json_response(body)

    def _answer(self, parts: list[str]) -> dict[str, Any] | None:
        configuration = self._in_force.configuration
        match parts:
            case []:
                return {
                    "version": "3.9.3",
                    "edition": EDITION,
                    "tagline": "a stand-in for Kong, for development only",
                    "configuration": {"database": "off"},
                }
            case ["status"]:
                requests = {"total_requests": self.requests()}
                return {"server": requests, "configuration_hash": configuration.hash}
            case ["services"]:
                return _page([self._service(service) for service in configuration.services])
            case ["routes"]:
                return _page([self._route(route) for route in configuration.routes])
            case ["plugins"]:
                return _page([self._plugin(plugin) for plugin in configuration.plugins])
            case ["services", key]:
                return _one(configuration.services, key, self._service)
            case ["routes", key]:
                return _one(configuration.routes, key, self._route)
            case ["plugins", key]:
                return _one(configuration.plugins, key, self._plugin)
            case ["services", key, "routes"]:
                routes = [
                    route for route in configuration.routes if key in (route.service.name, route.service.id)
                ]
                return _page([self._route(route) for route in routes])
            case ["services", key, "plugins"]:
                return _page(
                    [self._plugin(p) for p in configuration.plugins if p.service and _is(p.service, key)]
                )
            case ["routes", key, "plugins"]:
                return _page(
                    [self._plugin(p) for p in configuration.plugins if p.route and _is(p.route, key)]
                )
            case _:
                return None

    def _service(self, service: Service) -> dict[str, Any]:
        fields = ("id", "name", "protocol", "host", "port", "path", "retries")
        timeouts = ("connect_timeout", "write_timeout", "read_timeout")
        values = {name: getattr(service, name) for name in (*fields, *timeouts)}
        return values | self._common() | {"enabled": True}

    def _route(self, route: Route) -> dict[str, Any]:
        return {
            "id": route.id,
            "name": route.name,
            "service": {"id": route.service.id},
            "protocols": list(route.protocols),
            "methods": list(route.methods) or None,
            "hosts": list(route.hosts) or None,
            "paths": list(route.paths) or None,
            "headers": {name: list(values) for name, values in route.headers.items()} or None,
            "regex_priority": route.regex_priority,
            "strip_path": route.strip_path,
            "preserve_host": route.preserve_host,
            **self._common(),
        }

    def _plugin(self, plugin: Plugin) -> dict[str, Any]:
        return {
            "id": plugin.id,
            "name": plugin.name,
            "config": dict(plugin.config),
            "service": {"id": plugin.service.id} if plugin.service else None,
            "route": {"id": plugin.route.id} if plugin.route else None,
            "consumer": None,
            "enabled": True,
            **self._common(),
        }

    def _common(self) -> dict[str, Any]:
        return {"tags": None, "created_at": self._began, "updated_at": self._began}


def _page(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"data": entries, "next": None}


def _is(entity: Any, key: str) -> bool:
    return key in (entity.id, entity.name)


def _one(entities: Sequence[Any], key: str, view: Callable[[Any], dict[str, Any]]) -> dict[str, Any] | None:
    return next((view(entity) for entity in entities if _is(entity, key)), None)
