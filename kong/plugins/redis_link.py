"""One multiplexed connection to Redis for a whole plugin process.

coredis' connection is used without its pool and command layer: a script call costs about half the CPU,
a request never waits for a free connection, and there is no pool slot to lose when a connect is cancelled.
"""

import asyncio
import hashlib
import logging
import time
from typing import Any, Self

from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from coredis.connection import BaseConnection
from coredis.exceptions import ConnectionError as RedisConnectionError
from coredis.exceptions import NoScriptError, RedisError
from coredis.pool import ConnectionPool

log = logging.getLogger(__name__)
logging.getLogger("coredis").setLevel(
    logging.CRITICAL
)  # each failed attempt, with its stack; see RedisLink.command

RECONNECT_PAUSE = 0.1
"""Seconds between attempts to connect, so that a Redis that is down costs requests no connect each."""


class StoreUnavailableError(Exception):
    """Redis did not give an answer that can be relied on: down, slow, full, or refusing the credentials."""


class Script:
    """A Lua script and the name under which Redis remembers it."""

    __slots__ = ("digest", "source")

    def __init__(self, source: str) -> None:
        self.source = source.encode()
        self.digest = hashlib.sha1(self.source, usedforsecurity=False).hexdigest().encode()


class _Started:
    """Receives coredis' word that the connection is ready (an anyio TaskStatus)."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()

    def started(self, value: object = None) -> None:
        self.ready.set()


class RedisLink:
    """Commands to one Redis, each within `timeout` seconds, reconnecting by itself.

    Every method raises StoreUnavailableError when Redis does not answer in time or answers with an error.
    A command that is lost with its connection is sent once more, so callers send only what is harmless to
    repeat.
    """

    def __init__(self, url: str, timeout: float, client_name: str = "gatehouse-plugin") -> None:
        self._template: ConnectionPool[Any] = ConnectionPool.from_url(
            url, decode_components=True, connect_timeout=timeout, client_name=client_name
        )
        self._timeout = timeout
        self._connection: BaseConnection | None = None
        self._runner: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[BaseConnection] | None = None
        self._failed: tuple[float, str] | None = None
        self._unwell = False
        self.connection_number = 0
        """Changes with every new connection, before anything is sent on it."""

    async def evaluate(self, script: Script, key: bytes, *args: bytes | int) -> Any:
        """Runs the script on one key, in one round trip once Redis knows the script."""
        try:
            return await self.command(b"EVALSHA", script.digest, 1, key, *args)
        except StoreUnavailableError as error:
            if not isinstance(error.__cause__, NoScriptError):
                raise
            return await self.command(b"EVAL", script.source, 1, key, *args)

    async def command(self, name: bytes, *args: bytes | int) -> Any:
        """Sends one command and returns Redis' reply, bytes undecoded."""
        try:
            reply = await self._within_time(name, args)
        except StoreUnavailableError as error:
            if not self._unwell and not isinstance(error.__cause__, NoScriptError):
                self._unwell = True
                log.warning("Redis is unavailable: %s", error)
            raise
        if self._unwell:
            self._unwell = False
            log.info("Redis is available again")
        return reply

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection; the next command would open another."""
        tasks = {task for task in (self._opening, self._runner) if task is not None and not task.done()}
        self._opening = self._runner = self._connection = None
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _within_time(self, name: bytes, args: tuple[bytes | int, ...]) -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    return await self._send(name, args)
                except RedisConnectionError:
                    return await self._send(name, args)
        except TimeoutError as error:
            raise StoreUnavailableError(f"Redis did not answer within {self._timeout} s") from error
        except RedisError as error:
            if "READONLY" in str(error):
                # A failover left us with a replica: the next command looks the address up again.
                await self.close()
            raise StoreUnavailableError(f"{type(error).__name__}: {error}") from error

    async def _send(self, name: bytes, args: tuple[bytes | int, ...]) -> Any:
        connection = self._connection
        if connection is None or not connection.usable:
            connection = await self._connect()
        # Where the wait is given up, the connection goes too: a hung one would fail every later command.
        return await connection.create_request(name, *args, disconnect_on_cancellation=True)

    async def _connect(self) -> BaseConnection:
        """Joins the attempt under way, so that a burst of requests opens one connection."""
        if self._failed is not None:
            until, reason = self._failed
            if time.monotonic() < until:
                raise StoreUnavailableError(reason)
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="redis-connect")
            self._opening.add_done_callback(_forget)
        return await asyncio.shield(self._opening)

    async def _open(self) -> BaseConnection:
        connection: BaseConnection = self._template.connection_class(
            self._template.location, **self._template.connection_kwargs
        )
        started = _Started()
        runner = asyncio.create_task(connection.run(task_status=started), name="redis-link")
        runner.add_done_callback(_forget)
        runner.add_done_callback(lambda _: _close_buffers(connection))
        ready = asyncio.create_task(started.ready.wait())
        try:
            await asyncio.wait({runner, ready}, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
            if not started.ready.is_set():
                runner.cancel()
        if not started.ready.is_set():
            reason = runner.exception() if runner.done() else "no answer in time"
            failure = f"cannot connect to Redis: {reason}"
            self._failed = (time.monotonic() + RECONNECT_PAUSE, failure)
            raise StoreUnavailableError(failure)
        self._failed = None
        self.connection_number += 1
        self._connection, self._runner = connection, runner
        return connection


def _forget(task: asyncio.Task[Any]) -> None:
    """Takes the task's outcome, which whoever waited for it has seen already."""
    if not task.cancelled():
        task.exception()


def _close_buffers(connection: BaseConnection) -> None:
    """coredis 6.9 leaves a connection's in-memory streams open where it could not connect."""
    for value in vars(connection).values():
        if isinstance(value, MemoryObjectSendStream | MemoryObjectReceiveStream):
            value.close()
