"""Runs a service in the test's own event loop: real concurrency, no port, no thread."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from litestar import Litestar

from tests.waiting import WITHIN


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """The started app's client."""
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    finish = asyncio.Event()
    # A task of its own, since a fixture may be left in another task than it was entered in.
    task = asyncio.create_task(_live(app, started, finish))
    await asyncio.wait((started, task), return_when=asyncio.FIRST_COMPLETED)
    try:
        if not task.done():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
                yield client
    finally:
        finish.set()
        await task


async def until_ready(
    client: httpx.AsyncClient, path: str = "", headers: Mapping[str, str] | None = None
) -> None:
    """It has everything that it needs, on however busy a machine.

    With a `path` and the headers of somebody who is signed in, that is auth's keys and the ended sessions, too: its
    readiness leaves them out, since they keep nobody from what needs no token.
    """
    async with asyncio.timeout(WITHIN):
        while (await client.get("/health/ready")).status_code != 200:
            await asyncio.sleep(0.05)
        while path and (await client.get(path, headers=headers)).status_code == 503:
            await asyncio.sleep(0.05)


async def _live(app: Litestar, started: asyncio.Future[None], finish: asyncio.Event) -> None:
    async with app.lifespan():
        started.set_result(None)
        await finish.wait()
