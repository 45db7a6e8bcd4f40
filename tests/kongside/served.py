"""A plugin server in a process of its own, and clients that play Kong."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from devstack.kongside.client import Exited, Finished, Pdk, PluginServerClient, Wire, kong_config
from devstack.throwaway import temporary_directory

START_LIMIT = 60.0
STOP_LIMIT = 60.0


class ServedPlugin:
    """`python -m <package> <name> --socket ...`, running."""

    def __init__(self, package: str, name: str, directory: Path, options: tuple[str, ...]) -> None:
        self.name = name
        self.socket = directory / "plugin.socket"
        self.dump = directory / "dump.json"
        self.log = directory / "log"
        self.command = [sys.executable, "-m", package, name, "--socket", str(self.socket)]
        self.command += ["--dump-to", str(self.dump), *options]
        self._clients: list[PluginServerClient] = []
        self._open: list[Wire] = []
        self.process: subprocess.Popen[bytes]

    async def start(self) -> None:
        """Return when Kong could connect."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log, start_new_session=True)
        async with asyncio.timeout(START_LIMIT):
            while not self._reachable():
                assert self.process.poll() is None, self.log.read_text()
                await asyncio.sleep(0.02)

    def client(self, read_timeout: float = 60.0) -> PluginServerClient:
        client = PluginServerClient(str(self.socket), read_timeout)
        self._clients.append(client)
        return client

    async def wire(self) -> Wire:
        """A bare connection."""
        wire = await Wire.connect(str(self.socket))
        self._open.append(wire)
        return wire

    async def run(
        self, pdk: Pdk, phase: str = "access", own: Mapping[str, Any] | None = None
    ) -> Finished | Exited:
        """One phase for one request, with a client of its own."""
        return await self.client().handle_event(kong_config(self.name, own or {}), phase, pdk)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    async def stop(self) -> int:
        """SIGTERM; the exit status."""
        for client in self._clients:
            await client.close()
        for wire in self._open:
            wire.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return await asyncio.to_thread(self.process.wait, STOP_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise

    def _reachable(self) -> bool:
        return self.socket.exists()


@asynccontextmanager
async def serving(
    name: str, *options: str, package: str = "tests.protocol.trial_plugins"
) -> AsyncIterator[ServedPlugin]:
    with temporary_directory() as directory:
        served = ServedPlugin(package, name, directory, options)
        await served.start()
        try:
            yield served
        finally:
            await served.stop()


def request(**headers: str) -> dict[str, Any]:
    """PDK answers for a request with these headers (underscores are hyphens), and what was set on it."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    upstream: dict[str, Any] = {}
    return {
        "kong.request.get_header": sent.get,
        "kong.request.get_path": lambda: "/some/path",
        "kong.request.get_method": lambda: "GET",
        "kong.request.get_raw_body": lambda: b"body",
        "kong.client.get_ip": lambda: "192.0.2.1",
        "kong.nginx.get_var": {"kong_request_id": "the-request-id"}.get,
        "kong.service.request.set_header": upstream.__setitem__,
        "kong.response.set_header": upstream.__setitem__,
        "upstream": upstream,
    }
