"""Real service processes on ports of their own, for tests of what they promise each other."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[2]
START_DEADLINE = 180.0  # seconds, on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """One replica of `python -m services.NAME`."""

    def __init__(self, name: str, port: int, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {**environment, f"{name.upper()}_PORT": str(port), "PATH": os.environ["PATH"]}
        self._log = log / f"{name}-{port}.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it is ready; raises AssertionError with its log where it does not become so."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"services.{self.name}", cwd=ROOT, env=self._environment, stderr=log
            )
        give_up = time.monotonic() + START_DEADLINE
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < give_up:
                assert self._process.returncode is None, self._log.read_text()
                try:
                    async with session.get(f"{self.url}/health/ready") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)
        raise AssertionError(self._log.read_text())

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()
