"""A process' way to Redis: one connection for all, opened when it is needed and again when it is lost."""

import asyncio
import hashlib
import logging
from typing import Any, Self

from common import redis_address, redis_errors
from common.redis_connection import (
    Command,
    ConnectionLostError,
    NoAnswerError,
    RedisConnection,
    RefusedError,
)

log = logging.getLogger(__name__)

RECONNECT_PAUSE = 0.1
"""Seconds between attempts to connect, so that a Redis that is down costs requests no connect each."""


class StoreUnavailableError(Exception):
    """Redis did not give an answer that can be relied on: down, slow, full, or refusing the credentials."""


class _UnknownScriptError(StoreUnavailableError):
    """Redis has not seen this script since its start."""


class Script:
    """A Lua script and the name under which Redis remembers it."""

    __slots__ = ("digest", "source")

    def __init__(self, source: str) -> None:
        self.source = source.encode()
        self.digest = hashlib.sha1(self.source, usedforsecurity=False).hexdigest().encode()


class RedisLink:
    """Commands to one Redis, each within `timeout` seconds, reconnecting by itself.

    Every method raises StoreUnavailableError when Redis does not answer in time or answers with an error.
    A command that is lost with its connection is sent once more, so callers send only what is harmless to
    repeat. An address that makes no sense raises ValueError here and now.
    """

    def __init__(self, url: str, timeout: float, client_name: str = "gatehouse") -> None:
        self._address = redis_address.parse(url)
        self._timeout = timeout
        self._client_name = client_name
        self._connection: RedisConnection | None = None
        self._opening: asyncio.Task[RedisConnection] | None = None
        self._failed: tuple[float, str] | None = None
        self._unwell = False
        self.connection_number = 0
        """Changes with every new connection, before anything is sent on it."""

    async def evaluate(self, script: Script, key: bytes, *args: bytes | int) -> Any:
        """Runs the script on one key, in one round trip once Redis knows the script."""
        try:
            return await self._reply((b"EVALSHA", script.digest, 1, key, *args))
        except _UnknownScriptError:
            return await self._reply((b"EVAL", script.source, 1, key, *args))

    async def command(self, *command: bytes | int) -> Any:
        """Sends one command, word by word, and returns Redis' reply, bytes undecoded."""
        return await self._reply(command)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection; the next command would open another."""
        opening, self._opening = self._opening, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if opening is not None:
            opening.cancel()
            await asyncio.wait({opening})

    async def _reply(self, command: Command) -> Any:
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            try:
                reply = await self._send(command, deadline)
            except ConnectionLostError:
                reply = await self._send(command, deadline)
        except RefusedError as error:
            raise self._refused(error) from error
        except (ConnectionLostError, NoAnswerError) as error:
            raise self._unavailable(str(error)) from error
        if self._unwell:
            self._unwell = False
            log.info("Redis is available again")
        return reply

    async def _send(self, command: Command, deadline: float) -> Any:
        connection = self._connection
        if connection is None or connection.lost:
            connection = await self._connect(deadline)
        return await connection.send(command, deadline)

    def _refused(self, error: RefusedError) -> StoreUnavailableError:
        """What Redis' error means to the one who asked."""
        reason = str(error)
        if reason.startswith("NOSCRIPT"):
            return _UnknownScriptError(reason)
        state = redis_errors.state(reason)
        if state is not None and state.code in redis_errors.MOVED_AWAY and self._connection is not None:
            # A failover left us with a replica: the next command looks the address up again.
            self._connection.close()
        return self._unavailable(reason)

    def _unavailable(self, reason: str) -> StoreUnavailableError:
        if not self._unwell:
            self._unwell = True
            log.warning("Redis is unavailable: %s", reason)
        return StoreUnavailableError(reason)

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
        try:
            connection = await RedisConnection.open(
                self._address, self._client_name, loop.time() + self._timeout
            )
        except (OSError, ConnectionLostError, NoAnswerError, RefusedError) as error:
            reason = f"cannot connect to Redis: {error}"
            self._failed = (loop.time() + RECONNECT_PAUSE, reason)
            raise NoAnswerError(reason) from error
        self._failed = None
        self.connection_number += 1
        self._connection = connection
        return connection


def _forget(task: asyncio.Task[Any]) -> None:
    """Takes the task's outcome, which whoever waited for it has seen already."""
    if not task.cancelled():
        task.exception()
