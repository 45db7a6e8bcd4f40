"""The Admin API on the gateway's own socket: what the port shows, and POST /config, which kong/reload.sh sends."""

from __future__ import annotations

import asyncio

from aiohttp import web

from devstack.gateway import declarative
from devstack.gateway.admin import Admin
from devstack.gateway.entities import ConfigError
from devstack.gateway.in_force import InForce


class Control:
    def __init__(self, in_force: InForce, admin: Admin) -> None:
        self._in_force = in_force
        self._admin = admin

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """An aiohttp handler."""
        if request.method != "POST" or request.path != "/config":
            return self._admin.show(request)
        content = await request.read()
        try:
            # Reading takes a while, in which requests go on.
            self._in_force.take(await asyncio.to_thread(declarative.read, content))
        except ConfigError as error:
            print(f"stand-in for Kong: refuses a configuration: {error}", flush=True)
            refused = {
                "name": "invalid declarative configuration",
                "fields": {"error": declarative.told(error)},
            }
            return web.json_response(refused, status=400)
        print("stand-in for Kong: took over a configuration", flush=True)
        return web.json_response({}, status=201)
