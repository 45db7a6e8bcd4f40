"""A service's database: its pool from start to end, transactions, and single statements."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, Self, cast

import asyncpg
from piccolo.table import Table
from prometheus_client import CollectorRegistry

from common.telemetry import tracing
from services.chassis.postgres import hosts
from services.chassis.postgres.engine import PatientTransaction, PooledEngine, SafeTransaction
from services.chassis.postgres.outages import outage_as_unavailable, passes
from services.chassis.postgres.pool_metrics import PoolMetrics
from services.chassis.postgres.statements import TracedConnection

_log = logging.getLogger(__name__)

START_TIMEOUT_S = 30.0


class DatabaseSettings(Protocol):
    """Settings of a service with a database."""

    @property
    def database_url(self) -> str: ...

    @property
    def pool_max(self) -> int: ...

    @property
    def statement_timeout(self) -> float: ...


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
        registry: CollectorRegistry | None = None,
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
        if registry is not None:
            measured = PoolMetrics(self.engine, pool_max, registry)
            self.engine.wait, self.engine.had_at_once = measured.wait, measured.had_at_once
        self.message_written: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """By target: set when a transaction of this process has committed with a message to it in the outbox."""
        self._pool_min = pool_min
        self._pool_max = pool_max

    @classmethod
    def of(cls, settings: DatabaseSettings, application: str, registry: CollectorRegistry) -> Self:
        """The database that a service serves from, as its settings have it."""
        return cls(
            settings.database_url,
            application=application,
            pool_max=settings.pool_max,
            statement_timeout=settings.statement_timeout,
            registry=registry,
        )

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

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What happens inside takes no part in the transaction at hand, nor do tasks that begin inside."""
        mark = self.engine.current_transaction.set(None)
        try:
            yield
        finally:
            self.engine.current_transaction.reset(mark)

    @asynccontextmanager
    async def patient_transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """As `transaction`, without a limit on any statement and not from the pool: for migrations, not for requests.

        Whoever uses it limits by `SET LOCAL` what should be limited.
        """
        with outage_as_unavailable():
            async with PatientTransaction(engine=self.engine, allow_nested=True) as transaction:
                yield transaction.connection

    def after_commit(self, tell: Callable[[], None]) -> None:
        """Calls `tell` once the transaction at hand has committed, and not if it does not. RuntimeError outside one."""
        transaction = self.engine.current_transaction.get()
        if transaction is None:
            raise RuntimeError("nothing is committed outside a transaction")
        cast(SafeTransaction, transaction).after_commit.append(tell)

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
                await self.engine.find_out()
                await self.engine.start_connection_pool(
                    min_size=self._pool_min,
                    max_size=self._pool_max,
                    max_inactive_connection_lifetime=300,
                    connect=hosts.connect,
                    reset=_reset,
                    connection_class=TracedConnection if tracing.tracer() else asyncpg.Connection,
                )
            except Exception as fault:
                if not passes(fault) or time.monotonic() > deadline:
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
        for connection in self.engine.at_hand.all():
            await pool.release(connection)
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
