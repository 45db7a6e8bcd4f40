"""Whether a part is ready, seen from outside. A probe answers within about a second and never raises."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from devstack.settings import LOOPBACK

TIMEOUT = 1.0

Probe = Callable[[], Awaitable[bool]]


def http(port: int, path: str) -> Probe:
    """GET answers 200."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(TIMEOUT):
                reader, writer = await asyncio.open_connection(LOOPBACK, port)
                try:
                    writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode())
                    status_line = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        return status_line.split()[1:2] == [b"200"]

    return probe


def unix_socket(path: Path) -> Probe:
    """Something accepts connections."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(TIMEOUT):
                _, writer = await asyncio.open_unix_connection(str(path))
                writer.close()
        except (OSError, TimeoutError):
            return False
        return True

    return probe


def in_thread(check: Callable[[], bool]) -> Probe:
    """A blocking check of its own kind."""

    async def probe() -> bool:
        return await asyncio.to_thread(check)

    return probe
