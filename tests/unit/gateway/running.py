"""A stand-in gateway for the length of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.gateway.app import serve
from devstack.throwaway import free_ports
from tests.unit.gateway.raw_http import request


@dataclass(frozen=True)
class Gateway:
    port: int
    admin_port: int


@asynccontextmanager
async def gateway(directory: Path, document: str, **environment: str) -> AsyncIterator[Gateway]:
    """Runs `document` as kong.yml; `environment` is Kong's."""
    port, admin_port = free_ports(2)
    file = directory / "kong.yml"
    file.write_text(document)
    settings: Mapping[str, str] = {
        "KONG_DECLARATIVE_CONFIG": str(file),
        "KONG_PROXY_LISTEN": f"127.0.0.1:{port}",
        "KONG_ADMIN_LISTEN": f"127.0.0.1:{admin_port}",
        **environment,
    }
    stop = asyncio.Event()
    task = asyncio.create_task(serve(settings, stop))
    while not await _answers(admin_port):
        if task.done():
            await task
        await asyncio.sleep(0.02)
    try:
        yield Gateway(port, admin_port)
    finally:
        stop.set()
        await task


async def _answers(port: int) -> bool:
    try:
        return (await request(port, "GET", "/status")).status == 200
    except ConnectionError:
        return False
