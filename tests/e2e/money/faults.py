"""What breaks in a storm, and how it is mended again: kill -9, SIGSTOP, and cuts between two parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import httpx

from tests.e2e.money.books import query
from tests.e2e.money.plan import KONG_WORKER, Fault, How
from tests.e2e.stack import RestartRefused, Stack

COMES_BACK = 120.0
"""Seconds within which a part that is down has to be up again."""


class Breaking:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def do(self, fault: Fault) -> None:
        """Breaks it and, unless it was killed (what supervises it starts it again), mends it after its time."""
        match fault.how:
            case How.KILL:
                await self._until_it_is_there(self._kill, fault.victim)
            case How.PAUSE:
                victim = "kong" if fault.victim == KONG_WORKER else fault.victim
                await self._until_it_is_there(self._stack.pause, victim)
                try:
                    await asyncio.sleep(fault.lasts)
                finally:
                    await asyncio.to_thread(self._stack.resume, victim)
            case How.CUT:
                await self._cut(fault)

    def _kill(self, victim: str) -> None:
        if victim == KONG_WORKER:
            self._stack.kill_worker("kong")
        else:
            self._stack.kill(victim)

    async def _until_it_is_there(self, act: Callable[[str], None], victim: str) -> None:
        """One that is down from an earlier fault is waited for."""
        give_up = time.monotonic() + COMES_BACK
        while True:
            try:
                await asyncio.to_thread(act, victim)
            except (AssertionError, RestartRefused):
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.5)
            else:
                return

    async def _cut(self, fault: Fault) -> None:
        if fault.victim == "provider":
            await self._tell("outage", {"on": True})
        elif fault.victim == "webhooks":
            await self._tell("webhooks", {"drop": True})
        else:
            await self._refuse(fault.victim)
        try:
            await asyncio.sleep(fault.lasts)
        finally:
            if fault.victim == "provider":
                await self._tell("outage", {"on": False})
            elif fault.victim == "webhooks":
                await self.doubled_webhooks()
            else:
                await self._retry(f"ALTER DATABASE {fault.victim} ALLOW_CONNECTIONS true")

    async def doubled_webhooks(self) -> None:
        """Each comes twice, in another order, a moment late: what providers promise no better."""
        await self._tell("webhooks", {"copies": 2, "shuffle": True, "delay": 0.05})

    async def _refuse(self, database: str) -> None:
        """A database that its service cannot reach any more; what it had open is cut."""
        await self._retry(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        await self._retry(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )

    async def _retry(self, sql: str) -> None:
        give_up = time.monotonic() + COMES_BACK
        while True:
            try:
                await query(self._stack, "postgres", sql)
            except Exception:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.3)
            else:
                return

    async def _tell(self, path: str, body: dict[str, object]) -> None:
        """The sandbox; one that is down forgets what it was told, and is well again."""
        async with httpx.AsyncClient(timeout=5) as client:
            with suppress(httpx.HTTPError):
                await client.put(f"{self._stack.sandbox_url}/_control/{path}", json=body)

    async def mend(self) -> None:
        """Everybody is well from here on."""
        give_up = time.monotonic() + COMES_BACK
        async with httpx.AsyncClient(timeout=5) as client:
            while True:
                try:
                    (await client.post(f"{self._stack.sandbox_url}/_control/reset")).raise_for_status()
                except httpx.HTTPError:
                    if time.monotonic() > give_up:
                        raise
                    await asyncio.sleep(0.3)
                else:
                    return
