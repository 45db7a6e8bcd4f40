"""PostgreSQL for a service: one bounded pool, a limit on every wait, and transactions that always give back.

Piccolo's engine does the queries. Two of its habits are not fit for a server and are replaced here: it waits for a
free connection without limit, and a transaction whose ROLLBACK fails (the server went away) keeps its connection.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString
from piccolo.table import Table

from services.chassis.errors import Unavailable

_log = logging.getLogger(__name__)

ACQUIRE_TIMEOUT_S = 2.0
START_TIMEOUT_S = 30.0

_OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    # The driver's own confusion about a connection that was cut in the middle of an exchange.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
)


def is_outage(fault: BaseException) -> bool:
    """True where the database cannot serve now, and the request may be repeated later."""
    # InterfaceError itself tells of a connection or pool that is closed; its subclasses tell of wrong arguments.
    return isinstance(fault, _OUTAGES) or type(fault) is asyncpg.InterfaceError


@contextmanager
def outage_as_unavailable() -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        if not is_outage(fault):
            raise
        _log.warning("the database cannot serve", extra={"cause": repr(fault)})
        raise Unavailable("The database cannot answer at the moment.") from fault


class Database:
    """One service's database. `statement_timeout` is in seconds and enforced by the server."""

    def __init__(
        self,
        url: str,
        *,
        application: str,
        pool_min: int = 1,
        pool_max: int = 8,
        statement_timeout: float = 5.0,
    ) -> None:
        self.engine = PooledEngine(
            config={
                "dsn": url,
                "timeout": 5,
                "command_timeout": statement_timeout + 1,
                "server_settings": {
                    "application_name": application,
                    "statement_timeout": str(int(statement_timeout * 1000)),
                    # A client that went away inside a transaction must not hold its locks.
                    "idle_in_transaction_session_timeout": "30000",
                    "timezone": "UTC",
                },
            }
        )
        self._pool_min = pool_min
        self._pool_max = pool_max

    def bind(self, *tables: type[Table]) -> None:
        """Makes `tables` use this database."""
        for table in tables:
            table._meta.db = self.engine

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Opens the pool, waiting for a server that is still starting; closes it at the end."""
        await self._open()
        try:
            yield
        finally:
            await self._close()

    async def check(self) -> None:
        """Returns when the database answers."""
        async with self.transaction() as connection:
            await connection.fetchval("SELECT 1")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Everything inside is committed together or not at all; inside another one it joins that.

        Piccolo's queries take part by themselves; the connection is for what is clearer in SQL.
        Raises Unavailable where the database cannot be reached or has no connection free in time.
        """
        with outage_as_unavailable():
            async with self.engine.transaction() as transaction:
                yield transaction.connection

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """One statement's rows, in the transaction at hand or on its own. Raises Unavailable."""
        with outage_as_unavailable():
            transaction = self.engine.current_transaction.get()
            if transaction is not None:
                rows: list[Any] = await transaction.connection.fetch(query, *arguments)
                return rows
            return list(await self.engine.run_in_pool(query, arguments))

    async def _open(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                await self.engine.start_connection_pool(
                    min_size=self._pool_min,
                    max_size=self._pool_max,
                    max_inactive_connection_lifetime=300,
                    reset=_reset,
                )
            except (OSError, asyncpg.CannotConnectNowError) as fault:
                if time.monotonic() > deadline:
                    raise
                _log.info("waiting for the database", extra={"cause": repr(fault)})
                await asyncio.sleep(0.5)
            else:
                return

    async def _close(self) -> None:
        pool = self.engine.pool
        self.engine.pool = None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), 5)
        except TimeoutError:
            pool.terminate()


async def _reset(connection: asyncpg.Connection) -> None:
    """Before a connection is given back. Asyncpg would ask the server to reset each time, a round trip of its own.

    Nothing here changes the state of a session beyond its transaction (SET LOCAL, advisory locks by transaction).
    """
    if connection.is_in_transaction():
        await connection.reset()


class PooledEngine(PostgresEngine):
    """Piccolo's engine, never outside its pool and never waiting for a connection without limit."""

    async def check_version(self) -> None:
        """Piccolo connects when an engine is made; ours connects when the service starts."""

    def transaction(self, allow_nested: bool = True) -> "SafeTransaction":
        return SafeTransaction(engine=self, allow_nested=allow_nested)

    async def acquire(self) -> asyncpg.Connection:
        if self.pool is None:
            raise asyncpg.InterfaceError("the pool is not open")
        return await self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:
        with outage_as_unavailable():
            return await super().run_querystring(querystring, in_pool)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:
        with outage_as_unavailable():
            return await super().run_ddl(ddl, in_pool)

    async def run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Any:
        connection = await self.acquire()
        try:
            return await connection.fetch(query, *(args or ()))
        finally:
            await self.release(connection)

    async def _run_in_pool(self, query: str, args: Sequence[Any] | None = None) -> Any:
        return await self.run_in_pool(query, args)

    async def _run_in_new_connection(self, query: str, args: Sequence[Any] | None = None) -> Any:
        return await self.run_in_pool(query, args)

    async def release(self, connection: asyncpg.Connection) -> None:
        if self.pool is not None:
            await self.pool.release(connection, timeout=ACQUIRE_TIMEOUT_S)


class SafeTransaction(PostgresTransaction):
    """A transaction that gives its connection back whatever happens at its end."""

    engine: PooledEngine

    async def __aenter__(self) -> PostgresTransaction:
        if self._parent is not None:
            return self._parent
        self.connection = await self.engine.acquire()
        try:
            self.transaction = self.connection.transaction()
            await self.transaction.start()
        except BaseException:
            await self.engine.release(self.connection)
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, exception_type: Any, exception: Any, traceback: Any) -> bool:
        if self._parent is not None:
            return False
        try:
            if exception is None:
                await self.transaction.commit()
            elif not self.connection.is_closed():
                await self.transaction.rollback()
        except BaseException as fault:
            # Unless the server itself said no, nobody knows what state the connection is in.
            if not isinstance(fault, asyncpg.PostgresError):
                self.connection.terminate()
            raise
        finally:
            self.engine.current_transaction.reset(self.context)
            await self.engine.release(self.connection)
        return False
