"""Piccolo's engine, made fit for a server.

Two of its habits are not: it waits for a free connection without limit, and a transaction whose ROLLBACK fails (the
server went away) keeps its connection.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString

from services.chassis.postgres import hosts, pooling
from services.chassis.postgres.at_hand import AtHand
from services.chassis.postgres.outages import outage_as_unavailable

ACQUIRE_TIMEOUT_S = 2.0
SEEN_BY_POOL_EVERY = 500
"""So often the pool has a connection in hand, which it replaces after 50,000 statements."""
_log = logging.getLogger(__name__)


class PooledEngine(PostgresEngine):
    """Piccolo's engine, never outside its pool and never waiting for a connection without limit."""

    begins_with = ""
    """Statements at the beginning of each transaction, and every statement is in one: behind a pooler (pooling.py)."""

    wait: Callable[[], AbstractContextManager[None]] = nullcontext
    """Entered around every wait for a connection of the pool (pool_metrics.py)."""

    had_at_once: Callable[[], None] = staticmethod(lambda: None)
    """Called where there was none to wait for."""

    async def find_out(self) -> None:
        """Whether a pooler stands in front of the server. Once; raises what asyncpg raises."""
        if self._found_out:
            return
        if await pooling.is_pooled(self.config):
            self.begins_with = pooling.limits(self.config)
            self.config = pooling.behind_pooler(self.config)
            _log.info("a pooler stands in front of the database: every statement is a transaction there")
        self._found_out = True

    _found_out = False

    async def check_version(self) -> None:
        """Piccolo connects when an engine is made; ours connects when the service starts."""

    def transaction(self, allow_nested: bool = True) -> "SafeTransaction":
        return SafeTransaction(engine=self, allow_nested=allow_nested)

    async def acquire(self) -> asyncpg.Connection:
        if self.pool is None:
            raise asyncpg.InterfaceError("the pool is not open")
        connection = self.at_hand.take()
        if connection is not None:
            self.had_at_once()
            return connection
        with self.wait():
            self._waiting += 1
            try:
                return await self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
            finally:
                self._waiting -= 1

    _waiting = 0
    """For the pool, which gives them what is released to it."""

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:
        with outage_as_unavailable():
            return await super().run_querystring(querystring, in_pool)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:
        with outage_as_unavailable():
            return await super().run_ddl(ddl, in_pool)

    async def run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Any:
        if self.begins_with:
            async with self.transaction() as transaction:
                return await transaction.connection.fetch(query, *(args or ()))
        connection = await self.acquire()
        try:
            rows = await connection.fetch(query, *(args or ()))
        except BaseException:
            await self.release(connection)
            raise
        await self.give_back(connection)
        return rows

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Any:
        return await self.run_in_pool(query, args)

    async def _run_in_new_connection(self, query: str, args: Sequence[Any] | None = None) -> Any:
        return await self.run_in_pool(query, args)

    async def give_back(self, connection: asyncpg.Connection) -> None:
        """A connection on which all went well and nothing is under way."""
        self._given_back += 1
        if self.pool is None or self._waiting or self._given_back % SEEN_BY_POOL_EVERY == 0:
            await self.release(connection)
        else:
            self.at_hand.put(connection)

    _given_back = 0

    async def release(self, connection: asyncpg.Connection) -> None:
        """Whatever happened on it."""
        if self.pool is not None:
            await self.pool.release(connection, timeout=ACQUIRE_TIMEOUT_S)

    @cached_property
    def at_hand(self) -> AtHand:
        return AtHand(self.release)


class SafeTransaction(PostgresTransaction):
    """A transaction that gives its connection back whatever happens at its end."""

    engine: PooledEngine

    @property
    def begins_with(self) -> str:
        return self.engine.begins_with

    after_commit: list[Callable[[], None]]
    """Called once it has committed, and not if it has not."""

    async def __aenter__(self) -> PostgresTransaction:
        if self._parent is not None:
            return self._parent
        self.after_commit = []
        self.connection = await self._acquire()
        try:
            self.transaction = self.connection.transaction()
            await self.transaction.start()
            if self.begins_with:
                await self.connection.execute(self.begins_with)
        except BaseException:
            await self._release()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, exception_type: Any, exception: Any, traceback: Any) -> bool:
        if self._parent is not None:
            return False
        committed = False
        try:
            if exception is None:
                await self.transaction.commit()
                committed = True
            elif not self.connection.is_closed():
                await self.transaction.rollback()
        except BaseException as fault:
            # Unless the server itself said no, nobody knows what state the connection is in.
            if not isinstance(fault, asyncpg.PostgresError):
                self.connection.terminate()
            raise
        finally:
            self.engine.current_transaction.reset(self.context)
            await (self._give_back() if committed else self._release())
        if exception is None:
            for tell in self.after_commit:
                tell()
        return False

    async def _acquire(self) -> asyncpg.Connection:
        return await self.engine.acquire()

    async def _give_back(self) -> None:
        await self.engine.give_back(self.connection)

    async def _release(self) -> None:
        await self.engine.release(self.connection)


class PatientTransaction(SafeTransaction):
    """One on a connection of its own, on which no statement is cut short: neither here nor by the server."""

    @property
    def begins_with(self) -> str:
        return self.engine.begins_with and f"{self.engine.begins_with}; SET LOCAL statement_timeout = 0"

    async def _acquire(self) -> asyncpg.Connection:
        await self.engine.find_out()
        config = self.engine.config
        if self.engine.begins_with:
            return await hosts.connect(**{**config, "command_timeout": None})
        settings = {**config["server_settings"], "statement_timeout": "0"}
        return await hosts.connect(**{**config, "command_timeout": None, "server_settings": settings})

    async def _give_back(self) -> None:
        await self._release()

    async def _release(self) -> None:
        await self.connection.close(timeout=ACQUIRE_TIMEOUT_S)
