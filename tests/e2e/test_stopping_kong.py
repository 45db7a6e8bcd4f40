"""Kong that is told to stop answers what it has begun: as in a container, so under `make up`."""

from __future__ import annotations

import asyncio
import shutil

import asyncpg
import httpx
import pytest

from tests.e2e import people
from tests.e2e.local_stack import LocalStack
from tests.e2e.people import Tokens
from tests.e2e.stack import Stack
from tests.waiting import WITHIN


async def test_a_request_in_flight_is_answered_while_kong_stops(stack: Stack, admin: Tokens) -> None:
    if not isinstance(stack, LocalStack) or shutil.which("kong") is None:
        pytest.skip("about a real Kong under devstack")
    blocking = await asyncpg.connect(f"{stack.postgres_url}/member")
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            holding = blocking.transaction()
            await holding.start()
            await blocking.execute("LOCK TABLE member IN ACCESS EXCLUSIVE MODE")
            headers = {**admin.bearer, "Idempotency-Key": people.new_key()}
            url = f"{stack.gateway_url}/api/members"
            answer = asyncio.create_task(client.post(url, json=people.new_member(), headers=headers))
            await _until_it_waits(blocking)
            stopping = asyncio.create_task(asyncio.to_thread(stack.stop, "kong"))
            await _until_refused(stack.gateway_url)
            assert not answer.done()
            await holding.rollback()
            assert (await answer).status_code == 201
            await stopping
    finally:
        await blocking.close()
        await asyncio.to_thread(stack.restart, "kong")


async def _until_it_waits(connection: asyncpg.Connection) -> None:
    """Until the service's statement has met the lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'member'"
    async with asyncio.timeout(WITHIN):
        while not await connection.fetchval(waiting):
            await asyncio.sleep(0.02)


async def _until_refused(url: str) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                async with httpx.AsyncClient() as client:
                    await client.get(url)
            except httpx.TransportError:
                return
            await asyncio.sleep(0.02)
