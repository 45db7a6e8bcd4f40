"""The stand-in, put together from the environment that Kong would be started with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from devstack.gateway import declarative
from devstack.gateway.admin import Admin
from devstack.gateway.clean_connections import CleanConnector
from devstack.gateway.control import Control
from devstack.gateway.in_force import InForce
from devstack.gateway.listener import Listener
from devstack.gateway.status import Status


@dataclass(frozen=True)
class Listen:
    host: str
    port: int


async def serve(environment: Mapping[str, str], stop: asyncio.Event) -> None:
    """Listen until `stop`. Raises ConfigError for what Kong would refuse to start with."""
    configuration = declarative.load(Path(environment["KONG_DECLARATIVE_CONFIG"]))
    print("stand-in for Kong: a development aid, not for traffic", flush=True)

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                # nginx bounds a head as a whole, by its buffers: upstream.py does.
                max_line_size=2**17,
                max_field_size=2**17,
                # A name is looked up again soon, since nothing here watches whether its addresses are well.
                connector=CleanConnector(limit=0, keepalive_timeout=60, ttl_dns_cache=1),
            )
        )
        in_force = InForce(environment, session, configuration)
        listener = Listener(in_force.handle)
        stack.push_async_callback(listener.close)
        for address in listens(environment.get("KONG_PROXY_LISTEN") or "0.0.0.0:8000"):
            await listener.listen(address.host, address.port)
        admin = Admin(in_force, lambda: listener.requests)
        runner = await _runner(stack, web.Server(admin.handle))
        for address in listens(environment.get("KONG_ADMIN_LISTEN") or "127.0.0.1:8001"):
            await web.TCPSite(runner, address.host, address.port).start()
        runner = await _runner(stack, web.Server(Status(admin).handle))
        for address in listens(environment.get("KONG_STATUS_LISTEN") or "off"):
            await web.TCPSite(runner, address.host, address.port).start()
        control = environment.get("KONG_NGINX_ADMIN_LISTEN", "").removeprefix("unix:")
        if control:
            runner = await _runner(stack, web.Server(Control(in_force, admin).handle))
            await web.UnixSite(runner, control).start()
        await stop.wait()


async def _runner(stack: AsyncExitStack, handler: web.Server) -> web.ServerRunner:
    runner = web.ServerRunner(handler)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    return runner


def listens(setting: str) -> list[Listen]:
    """The addresses of a Kong listen setting; their options (`reuseport`) are nginx's own."""
    if setting.strip() == "off":
        return []
    addresses = [entry.split()[0].rpartition(":") for entry in setting.split(",")]
    return [Listen(host.strip("[]"), int(port)) for host, _, port in addresses]
