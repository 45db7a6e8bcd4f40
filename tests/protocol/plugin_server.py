"""A plugin server of a test's own: the process that Kong would talk to."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from devstack.kongside.client import PluginServerClient, kong_config
from devstack.throwaway import free_port, temporary_directory
from tests.fake_kong import Answer, FakeKong

START_DEADLINE = 60.0
STOP_DEADLINE = 60.0
READ_TIMEOUT = 30.0
"""Seconds, more than Kong's three: here a plugin server that says nothing is on a busy machine."""


class PluginServer:
    """One served plugin, attached to a route with `own` as its configuration."""

    def __init__(self, name: str, socket: Path, own: dict[str, Any]) -> None:
        self.client = PluginServerClient(str(socket), READ_TIMEOUT)
        self.name, self._own = name, own
        self.config = kong_config(name, own)
        self._command = [sys.executable, "-m", "kong.plugins", name, "--socket", str(socket)]
        self._socket = socket
        self.metrics_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Returns when the socket can be connected to."""
        self._process = subprocess.Popen(
            self._command,
            env=os.environ | {"LOG_LEVEL": "ERROR", "METRICS_PORT": str(self.metrics_port)},
            start_new_session=True,
        )
        async with asyncio.timeout(START_DEADLINE):
            while not self._socket.exists():
                assert self._process.poll() is None, "the plugin server did not start"
                await asyncio.sleep(0.02)

    def attach(self, route: str) -> None:
        """From now on it is asked as it is by Kong for this route, which has the same configuration."""
        self.config = kong_config(self.name, self._own, route)

    async def kill(self) -> None:
        """As a crash of the machine's making: the server and its workers, at once."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.unlink(missing_ok=True)

    async def stop(self) -> None:
        await self.client.close()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, STOP_DEADLINE)

    async def run(self, kong: FakeKong, phase: str) -> Answer | None:
        """A phase for this request; None where the request goes on."""
        return await kong.send(self.client, self.config, phase)


@asynccontextmanager
async def serving(name: str, **own: Any) -> AsyncIterator[PluginServer]:
    with temporary_directory() as directory:
        server = PluginServer(name, directory / "plugin.socket", own)
        try:
            await server.start()
            yield server
        finally:
            await server.stop()
