"""Whole paths to a service that records what reaches it: alone, behind the gateway, behind front and gateway."""

import asyncio
import grp
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
import yaml

from common.http_server.protocol import StrictProtocol
from devstack.gateway.app import serve
from devstack.throwaway import free_ports
from frontend_proxy import settings as front_settings
from frontend_proxy.app import create_app
from frontend_proxy.metrics import Metrics
from frontend_proxy.server import server as front_server
from tests.framing.wire import Recorder

ROOT = Path(__file__).parents[2]
GATEWAYS = ["stand-in", "Kong"]
INSTALLED = shutil.which("kong") is not None


@asynccontextmanager
async def _listening(server: uvicorn.Server) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        await task
        # Forced, a server waits neither for its application's end nor for its connections': a peer that is slow to
        # close its own would leave them to the collector of garbage, in the middle of another test.
        await server.lifespan.shutdown()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        while server.server_state.connections:
            await asyncio.sleep(0)


@asynccontextmanager
async def service(recorder: Recorder) -> AsyncIterator[int]:
    """A service's server; its port."""
    (port,) = free_ports(1)
    config = uvicorn.Config(
        recorder, port=port, http=StrictProtocol, ws="none", lifespan="off", log_config=None, loop="none"
    )
    async with _listening(uvicorn.Server(config)):
        yield port


def _configuration(upstream: int, directory: Path, *, passes_upgrades: bool, patience: int) -> Path:
    """The template's own Lua in front of one service, without the plugin servers."""
    template = (ROOT / "kong.yml.template").read_text()
    if passes_upgrades:
        template, lines = re.subn(r"local HOP_BY_HOP = \{.*\}", "local HOP_BY_HOP = {}", template)
        assert lines == 1
    written = yaml.safe_load(re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", template))
    document = {
        "_format_version": "3.0",
        "services": [
            {
                "name": "recorder",
                "url": f"http://127.0.0.1:{upstream}",
                "retries": 0,
                "read_timeout": patience,
                "routes": [{"name": "api", "paths": ["/api"], "strip_path": False}],
            }
        ],
        "plugins": written["plugins"],
    }
    file = directory / "kong.yml"
    file.write_text(yaml.safe_dump(document))
    return file


@asynccontextmanager
async def gateway(kind: str, upstream: int, directory: Path, *, patience: int = 60_000) -> AsyncIterator[int]:
    """A gateway in front of the port `upstream`; its port. `KIND+upgrades` ends no hop-by-hop headers.

    It waits `patience` milliseconds for an answer."""
    port, admin = free_ports(2)
    kind, _, passes = kind.partition("+")
    configuration = _configuration(upstream, directory, passes_upgrades=bool(passes), patience=patience)
    environment = {
        "KONG_DATABASE": "off",
        "KONG_DECLARATIVE_CONFIG": str(configuration),
        "KONG_PROXY_LISTEN": f"127.0.0.1:{port}",
        "KONG_ADMIN_LISTEN": f"127.0.0.1:{admin}",
        "KONG_ADMIN_GUI_LISTEN": "off",
        "KONG_STATUS_LISTEN": "off",
        "KONG_PREFIX": str(directory / "prefix"),
        "KONG_NGINX_DAEMON": "off",
        "KONG_NGINX_WORKER_PROCESSES": "1",
        **{name: _as_deployed(name) for name in _AS_DEPLOYED},
        "KONG_REQUEST_DEBUG": "off",
        "KONG_ANONYMOUS_REPORTS": "off",
        "KONG_PROXY_ACCESS_LOG": "off",
    }
    if kind == "stand-in":
        stop = asyncio.Event()
        task = asyncio.create_task(serve(environment, stop))
        await _until_open(port)
        try:
            yield port
        finally:
            stop.set()
            await task
        return
    environment |= {"PATH": os.environ["PATH"], "KONG_NGINX_USER": _account()}
    log = (directory / "kong.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        "kong", "start", env=environment, stdout=log, stderr=log, start_new_session=True
    )
    log.close()
    try:
        # Kong tries its configuration first, with the ports open for a moment: only an answer says that it is there.
        await _until_answered(admin, process)
        yield port
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
        await process.wait()


_AS_DEPLOYED = (
    *("KONG_NGINX_PROXY_UNDERSCORES_IN_HEADERS", "KONG_NGINX_PROXY_CLIENT_BODY_BUFFER_SIZE"),
    *("KONG_NGINX_PROXY_PROXY_BUFFER_SIZE", "KONG_NGINX_PROXY_PROXY_BUFFERS"),
)


def _as_deployed(name: str) -> str:
    """A setting of kong/environment.sh."""
    script = f'GATEHOUSE_HOME=kong KONG_PLUGINS_DIR=.; . kong/environment.sh; printf %s "${name}"'
    return subprocess.run(["sh", "-euc", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _account() -> str:
    """Under root nginx would give its workers to a user who cannot enter a test's directory."""
    return f"{pwd.getpwuid(os.geteuid()).pw_name} {grp.getgrgid(os.getegid()).gr_name}"


@asynccontextmanager
async def front(upstream: int) -> AsyncIterator[int]:
    """The web front before a gateway at the port `upstream`; its port."""
    (port,) = free_ports(1)
    values = front_settings.read(
        {
            "GATEWAY_URL": f"http://127.0.0.1:{upstream}",
            "AUTH_URL": f"http://127.0.0.1:{upstream}",
            "APP_ENV": "development",
            "FRONTEND_PORT": str(port),
            "PORT": str(port),
            "HOST": "127.0.0.1",
        }
    )
    metrics = Metrics()
    overrides: dict[str, Any] = {"host": "127.0.0.1", "port": port, "loop": "none"}
    async with _listening(front_server(create_app(values, metrics), values, metrics, **overrides)):
        yield port


async def _until_answered(admin: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            assert process.returncode is None, "Kong has ended: see kong.log"
            try:
                async with session.get(f"http://127.0.0.1:{admin}/status") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


async def _until_open(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@asynccontextmanager
async def path(hops: str, recorder: Recorder, directory: Path) -> AsyncIterator[int]:
    """`hops`: `service`, `KIND service`, `front KIND service`…; the port of the first one."""
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(service(recorder))
        for hop in reversed(hops.split()[:-1]):
            entered = front(port) if hop == "front" else gateway(hop, port, directory)
            port = await stack.enter_async_context(entered)
        yield port


PATHS = [
    "service",
    "front service",
    "front auth",  # calls of a session go to auth itself
    *(f"{kind} service" for kind in GATEWAYS),
    *(f"{kind}+upgrades service" for kind in GATEWAYS),
    *(f"front {kind} service" for kind in GATEWAYS),
]
