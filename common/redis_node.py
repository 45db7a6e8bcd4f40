"""One Redis server: a connection that everybody shares, opened when it is needed and again when it is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from common.redis_address import RedisAddress
from common.redis_connection import (
    Command,
    ConnectionLostError,
    NoAnswerError,
    RedisConnection,
    RefusedError,
)

RECONNECT_PAUSE = 0.1
"""Seconds between attempts to connect, so that a Redis that is down costs requests no connect each."""

Find = Callable[[float], Awaitable[RedisAddress]]
"""Where the server is, before a deadline (the loop's time). Raises as RedisConnection.open does."""


class RedisNode:
    """`opened` is called with every new connection, before anything is sent on it."""

    def __init__(self, find: Find, timeout: float, client_name: str, opened: Callable[[], None]) -> None:
        self._find = find
        self._timeout = timeout
        self._client_name = client_name
        self._opened = opened
        self._connection: RedisConnection | None = None
        self._opening: asyncio.Task[RedisConnection] | None = None
        self._failed: tuple[float, str] | None = None

    async def send(self, command: Command, deadline: float, *, asking: bool = False) -> Any:
        """The answer. `asking`: of a slot that is on its way to this server. Raises as RedisConnection.send does."""
        connection = self._connection
        if connection is None or connection.lost:
            connection = await self._connect(deadline)
        if asking:
            connection.send((b"ASKING",), deadline).add_done_callback(_forget)
        return await connection.send(command, deadline)

    def leave(self) -> None:
        """The next command finds out anew where the server is."""
        if self._connection is not None:
            self._connection.close()

    async def close(self) -> None:
        opening, self._opening = self._opening, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if opening is not None:
            opening.cancel()
            await asyncio.wait({opening})

    async def _connect(self, deadline: float) -> RedisConnection:
        """Joins the attempt under way, so that a burst of requests opens one connection."""
        if self._failed is not None:
            until, reason = self._failed
            if asyncio.get_running_loop().time() < until:
                raise NoAnswerError(reason)
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="redis-connect")
            self._opening.add_done_callback(_forget)
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(self._opening)
        except TimeoutError:
            raise NoAnswerError("no connection in time") from None

    async def _open(self) -> RedisConnection:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        try:
            address = await self._find(deadline)
            connection = await RedisConnection.open(address, self._client_name, deadline)
        except (OSError, ConnectionLostError, NoAnswerError, RefusedError) as error:
            reason = f"cannot connect to Redis: {error}"
            self._failed = (loop.time() + RECONNECT_PAUSE, reason)
            raise NoAnswerError(reason) from error
        self._failed = None
        self._opened()
        self._connection = connection
        return connection


def _forget(task: asyncio.Future[Any]) -> None:
    """Takes the outcome, which whoever waited for it has seen already."""
    if not task.cancelled():
        task.exception()
