"""A gateway with all plugins before an upstream that does nothing, to measure what a plugin costs.

The gateway is the real Kong where `kong` is on the PATH, else the stand-in, whose own figures say nothing about Kong.
CPU is that of the gateway's workers and of the plugin's worker, by the kernel's account, per request.

Microseconds of one machine say nothing about another's: so `turns.py` measures several kinds of requests in one run,
beside a real Kong those with a plugin of its own.
"""

import asyncio
import getpass
import grp
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from bench import cpu
from common.redis_link import RedisLink
from devstack import throwaway

ROOT = Path(__file__).parents[1]
PLUGINS = {
    "token-validator": "kong.plugins",
    "response-cache": "kong.plugins",
    "idempotency": "kong.plugins",
    "light": "bench.served",
    "empty": "bench.served",
}
"""Each with the package that serves it."""
ISSUER, AUDIENCE = "https://auth.example", "gatehouse"
CONNECTIONS = 16
SIGNER = ECKey.generate_key("P-256", {"kid": "bench"}, private=True)
BODY = b'{"items": [' + b", ".join(b'{"name": "one of twenty", "price": 12000}' for _ in range(20)) + b"]}"
SECRET = "the secret of the measured jwt plugin"


@dataclass(frozen=True)
class Cost:
    """CPU microseconds a request."""

    gateway: float
    plugin: float

    @property
    def total(self) -> float:
        return self.gateway + self.plugin


class Stage:
    """Routes: `/plain` has no plugin, `/token` token-validator, `/key` idempotency, `/cached` response-cache; `/jwt`,
    `/proxy-cache` and `/limited` Kong's own; `/light` and `/empty` plugins of bench/served, which do little or nothing.
    """

    def __init__(
        self, port: int, gateway: psutil.Process, plugins: dict[str, psutil.Process], *, real: bool
    ) -> None:
        self._port = port
        self._gateway = gateway
        self._plugins = plugins
        self.real = real

    async def measure(
        self,
        requests: int,
        make: Callable[[int], bytes],
        plugin: str | None = None,
        connections: int = CONNECTIONS,
    ) -> Cost:
        """Sends `make(0)`, `make(1)`... over so many connections. Raises RuntimeError where one is refused."""
        measured = self._plugins.get(plugin or "")
        before = cpu.seconds(self._gateway), _seconds(measured)
        statuses: Counter[int] = Counter()
        share = requests // connections
        await asyncio.gather(
            *(
                self._send([make(first + number) for number in range(share)], statuses)
                for first in range(0, share * connections, share)
            )
        )
        if not set(statuses) <= {200, 201}:
            raise RuntimeError(f"not every request was served: {statuses}")
        gateway, own = cpu.seconds(self._gateway) - before[0], _seconds(measured) - before[1]
        count = share * connections
        return Cost(gateway / count * 1e6, own / count * 1e6)

    async def _send(self, requests: list[bytes], statuses: Counter[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        for request in requests:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            statuses[int(head.split(b" ", 2)[1])] += 1
            _, found, rest = head.partition(b"content-length:")
            if found:
                await reader.readexactly(int(rest.split(b"\r", 1)[0]))
        writer.close()


def request(
    path: str, *headers: str, body: bytes = b'{"name": "Ada Lovelace", "email": "ada@example.com"}'
) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: bench", "Content-Type: application/json", *headers)
    return "\r\n".join((*lines, f"Content-Length: {len(body)}", "\r\n")).encode() + body


def jwt_request() -> bytes:
    """For `/jwt`."""
    token = jwt.encode({"alg": "HS256"}, {"iss": "bench"}, OctKey.import_key(SECRET))
    return request("/jwt", f"Authorization: Bearer {token}")


def reading(path: str, *headers: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: bench", *headers, "\r\n")).encode()


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Starts all of it, and leaves nothing behind."""
    with throwaway.redis() as redis, throwaway.temporary_directory() as directory:
        upstream = await _upstream()
        try:
            file = directory / "kong.yml"
            file.write_text(json.dumps(_routes(upstream.addresses[0][1], redis.url())))
            await _mark_whole(redis.url())
            servers = [_plugin_server(name, package, directory) for name, package in PLUGINS.items()]
            try:
                await _until(lambda: all((directory / f"{name}.socket").exists() for name in PLUGINS))
                with _Gateway(directory, file) as gateway:
                    await _until(gateway.answers)
                    workers = {name: _worker(server) for name, server in zip(PLUGINS, servers, strict=True)}
                    yield Stage(gateway.port, gateway.process(), workers, real=gateway.real)
            finally:
                for server in servers:
                    server.terminate()
                    server.wait(10)
        finally:
            await upstream.cleanup()


async def _mark_whole(redis_url: str) -> None:
    """Says in auth's name that no session has ended in this process of Redis."""
    async with RedisLink(redis_url, 5.0) as link:
        info: bytes = await link.command(b"INFO", b"server")
        process = next(line for line in info.split(b"\r\n") if line.startswith(b"run_id:"))
        await link.command(b"SET", b"auth:revocations:whole-in", process.removeprefix(b"run_id:"))


class _Gateway:
    def __init__(self, directory: Path, file: Path) -> None:
        self.port = throwaway.free_port()
        self._prefix = directory / "kong"
        self._prefix.mkdir()
        self.real = shutil.which("kong") is not None
        self._environment = os.environ | {
            "GATEHOUSE_HOME": str(ROOT / "kong"),
            "KONG_PLUGINS_DIR": str(directory),
            "KONG_PLUGINS": ",".join(("bundled", *PLUGINS)),
            "KONG_PLUGINSERVER_NAMES": ",".join(PLUGINS),
            **_found_at(directory),
            "KONG_PREFIX": str(self._prefix),
            "KONG_DECLARATIVE_CONFIG": str(file),
            "KONG_PROXY_LISTEN": f"127.0.0.1:{self.port}",
            "KONG_ADMIN_LISTEN": f"127.0.0.1:{throwaway.free_port()}",
            "KONG_PROXY_ACCESS_LOG": "off",
            "KONG_PROXY_ERROR_LOG": "/dev/null",
            "KONG_ADMIN_ERROR_LOG": "/dev/null",
            "KONG_NGINX_WORKER_PROCESSES": "1",
            "KONG_NGINX_USER": f"{getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name}",
        }
        self._standin: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "_Gateway":
        print(
            "gateway:",
            "Kong" if self.real else "the stand-in (no kong on the PATH; only its plugin column counts)",
        )
        print("Python:", sys.version.split()[0], "optimised" if _optimised() else "not optimised")
        if self.real:
            self._run("exec kong start").wait()
        else:
            self._standin = self._run(f"exec {sys.executable} -m devstack.gateway")
        return self

    def __exit__(self, *_: object) -> None:
        if self._standin is not None:
            self._standin.terminate()
            self._standin.wait(10)
        else:
            self._run("exec kong stop").wait()

    def answers(self) -> bool:
        """Whether a worker takes requests: nginx listens before it has one."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as probe:
                probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return probe.recv(4) == b"HTTP"
        except OSError:
            return False

    def process(self) -> psutil.Process:
        """The process that carries requests."""
        if self._standin is not None:
            return psutil.Process(self._standin.pid)
        master = psutil.Process(int((self._prefix / "pids" / "nginx.pid").read_text()))
        return next(child for child in master.children() if "worker" in " ".join(child.cmdline()))

    def _run(self, command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["sh", "-c", f". kong/environment.sh; {command}"],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _routes(upstream: int, redis_url: str) -> dict[str, object]:
    token = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "jwks_url": f"http://127.0.0.1:{upstream}/jwks",
        "redis_url": redis_url,
    }
    plugins: dict[str, list[dict[str, object]]] = {
        "plain": [],
        "jwt": [{"name": "jwt"}],
        "light": [{"name": "light"}],
        "empty": [{"name": "empty"}],
        "token": [{"name": "token-validator", "config": token}],
        "key": [{"name": "idempotency", "config": {"redis_url": redis_url}}],
        "cached": [{"name": "response-cache", "config": {"redis_url": redis_url, "ttl": 600}}],
        "proxy-cache": [{"name": "proxy-cache", "config": {"strategy": "memory", "cache_ttl": 600}}],
        "limited": [
            {"name": "rate-limiting", "config": {"second": 100_000, "minute": 1_000_000, "policy": "local"}}
        ],
    }
    routes = [
        {"name": name, "paths": [f"/{name}"], "strip_path": False, "plugins": attached}
        for name, attached in plugins.items()
    ]
    service = {"name": "up", "url": f"http://127.0.0.1:{upstream}", "routes": routes}
    credential = {"key": "bench", "secret": SECRET, "algorithm": "HS256"}
    consumer = {"username": "bench", "jwt_secrets": [credential]}
    return {
        "_format_version": "3.0",
        "services": [service],
        "consumers": [consumer],
        "plugins": _functions(),
    }


def _functions() -> list[dict[str, object]]:
    """The gateway's own: what gives the answers that plugins hand over, and what names the service for them."""
    template = yaml.safe_load((ROOT / "kong.yml.template").read_text(encoding="utf-8"))
    found = {
        each["name"]: each["config"]["access"] for each in template["plugins"] if "access" in each["config"]
    }
    return [{"name": name, "config": {"access": found[name]}} for name in ("pre-function", "post-function")]


def verdict(name: str, added: float, budget: float) -> str:
    """One line: what was added, in µs, against the budget."""
    return f"{name} adds {added:.0f} µs of CPU (budget {budget:.0f})"


def compared(reference: float | None) -> str:
    """One line about the µs that Kong's own jwt plugin adds; None without a real Kong."""
    if reference is None:
        return "no real Kong, so no plugin of its own to compare with"
    return f"Kong's own jwt plugin (Lua, HS256) adds {reference:.0f} µs in this run"


async def _upstream() -> web.AppRunner:
    keys = {"keys": [SIGNER.as_dict(private=False)]}

    async def serve(received: web.Request) -> web.Response:
        await received.read()
        if received.path == "/jwks":
            return web.json_response(keys)
        if received.method == "GET":
            headers = {"Cache-Tag": "bench", "ETag": '"bench"', "Cache-Control": "public, max-age=600"}
            return web.Response(body=BODY, content_type="application/json", headers=headers)
        return web.Response(status=201, body=b'{"id": 1}', content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def _found_at(directory: Path) -> dict[str, str]:
    """How Kong finds each plugin server (kong/environment.sh names those of the product alone)."""
    settings = {}
    for name in PLUGINS:
        prefix = f"KONG_PLUGINSERVER_{name.replace('-', '_').upper()}"
        settings[f"{prefix}_SOCKET"] = str(directory / f"{name}.socket")
        settings[f"{prefix}_QUERY_CMD"] = f"cat {shlex.quote(str(directory / f'{name}.json'))}"
    return settings


def _plugin_server(name: str, package: str, directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", package, name),
            *("--socket", str(directory / f"{name}.socket"), "--dump-to", str(directory / f"{name}.json")),
            *("--log-level", "ERROR"),
        ],
        cwd=ROOT,
    )


def _optimised() -> bool:
    """As devstack/interpreter.sh judges it."""
    configured = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    return "--enable-optimizations" in configured or sys.base_prefix == "/usr"


def _worker(server: subprocess.Popen[bytes]) -> psutil.Process:
    return psutil.Process(server.pid).children()[0]


def _seconds(process: psutil.Process | None) -> float:
    return 0.0 if process is None else cpu.seconds(process)


async def _until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not holds():
        if time.monotonic() > give_up:
            raise TimeoutError("the gateway did not start")
        await asyncio.sleep(0.1)
