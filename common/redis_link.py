"""A process' way to Redis, whatever stands behind the address: one server, Sentinels and their master, or a cluster."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from typing import Any, Self

from common import redis_address
from common.redis_address import RedisAddress
from common.redis_connection import (
    Command,
    ConnectionLostError,
    NoAnswerError,
    RefusedError,
)
from common.redis_routes import Route, ThroughCluster, ToOneServer
from common.telemetry import spans
from common.telemetry.redis_commands import redis_command

log = logging.getLogger(__name__)

Ended = Callable[[bool, float], None]
"""Told of each command: whether Redis answered it, and the seconds that it took."""


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
    """Commands to one Redis, behind Sentinel or as a cluster too, within `timeout` seconds, reconnecting by itself.

    Every method raises StoreUnavailableError when Redis does not answer in time or answers with an error.
    A command that is lost with its connection is sent once more, so callers send only what is harmless to
    repeat. An address that makes no sense raises ValueError here and now.
    """

    def __init__(
        self, url: str, timeout: float, client_name: str = "gatehouse", *, ended: Ended | None = None
    ) -> None:
        self._timeout = timeout
        self._ended = ended
        self._unwell = False
        self._route = _route(redis_address.parse(url), timeout, client_name, self._changed)
        self.connection_number = 0
        """Changes with every new connection and every change of nodes, before anything is sent there."""

    async def evaluate(self, script: Script, key: bytes, *args: bytes | int) -> Any:
        """Runs the script on one key, in one round trip once Redis knows the script."""
        try:
            return await self._reply((b"EVALSHA", script.digest, 1, key, *args), key)
        except _UnknownScriptError:
            return await self._reply((b"EVAL", script.source, 1, key, *args), key)

    async def command(self, *command: bytes | int, near: bytes | None = None) -> Any:
        """Sends one command, word by word, and returns Redis' reply, bytes undecoded.

        In a cluster it goes to the node that has the key `near`; without it, the command's second word is its key.
        """
        return await self._reply(command, near)

    def look_again(self) -> None:
        """The next command finds out anew which server is to be used, where that can change."""
        self._route.look_again()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connections; the next command would open others."""
        await self._route.close()

    async def _reply(self, command: Command, near: bytes | None) -> Any:
        within = spans.sampled()
        if within is None:
            return await self._answer(command, near)
        with redis_command(within, command[0]):
            return await self._answer(command, near)

    async def _answer(self, command: Command, near: bytes | None) -> Any:
        if self._ended is None:
            return await self._sent(command, near)
        started, answered = time.perf_counter(), False
        try:
            reply = await self._sent(command, near)
            answered = True
        except _UnknownScriptError:
            answered = True  # the script follows
            raise
        finally:
            self._ended(answered, time.perf_counter() - started)
        return reply

    async def _sent(self, command: Command, near: bytes | None) -> Any:
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            reply = await self._route.send(command, near, deadline)
        except RefusedError as error:
            raise self._refused(error) from error
        except (ConnectionLostError, NoAnswerError) as error:
            raise self._unavailable(str(error)) from error
        if self._unwell:
            self._unwell = False
            log.info("Redis is available again")
        return reply

    def _refused(self, error: RefusedError) -> StoreUnavailableError:
        """What Redis' error means to the one who asked."""
        reason = str(error)
        if reason.startswith("NOSCRIPT"):
            return _UnknownScriptError(reason)
        return self._unavailable(reason)

    def _unavailable(self, reason: str) -> StoreUnavailableError:
        if not self._unwell:
            self._unwell = True
            log.warning("Redis is unavailable: %s", reason)
        return StoreUnavailableError(reason)

    def _changed(self) -> None:
        self.connection_number += 1


def _route(address: RedisAddress, timeout: float, client_name: str, changed: Callable[[], None]) -> Route:
    if address.cluster:
        return ThroughCluster(address, timeout, client_name, changed)
    return ToOneServer(address, timeout, client_name, changed)
