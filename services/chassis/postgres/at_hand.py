"""Connections that were taken from the pool and are free again, for whoever asks next.

To get a connection back and give it out, asyncpg's pool makes a task and timers and waits for a round of the event
loop: more work than a short statement. It makes sure of a connection on which something went wrong. One on which all
went well needs nothing of it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import asyncpg

_log = logging.getLogger(__name__)

KEPT_S = 30.0
"""One that nobody has taken for so long goes back to the pool, which closes those that nobody needs."""


class AtHand:
    """`release` gives a connection back to the pool. The latest used is given out first."""

    def __init__(self, release: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
        self._release = release
        self._free: list[tuple[asyncpg.Connection, float]] = []
        self._tidying: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._free)

    def take(self) -> asyncpg.Connection | None:
        """None where there is none that is open."""
        while self._free:
            connection, _ = self._free.pop()
            if _is_open(connection):
                return connection
        return None

    def put(self, connection: asyncpg.Connection) -> None:
        self._free.append((connection, time.monotonic()))
        if self._tidying is None:
            self._tidying = asyncio.create_task(self._tidy(), name="free connections")

    def all(self) -> list[asyncpg.Connection]:
        """For their end."""
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        free, self._free = self._free, []
        return [connection for connection, _ in free]

    async def _tidy(self) -> None:
        while self._free:
            await asyncio.sleep(KEPT_S)
            before = time.monotonic() - KEPT_S
            while self._free and self._free[0][1] <= before:
                connection, _ = self._free.pop(0)
                try:
                    await self._release(connection)
                except Exception:
                    _log.exception("a free connection was not given back to the pool")
        self._tidying = None


def _is_open(connection: asyncpg.Connection) -> bool:
    try:
        if not connection.is_closed():
            return True
        connection.terminate()  # gives its place in the pool back
    except asyncpg.InterfaceError:
        pass  # the pool has it back already
    return False
