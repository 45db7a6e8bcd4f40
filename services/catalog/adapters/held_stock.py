"""Says how long the oldest reservation is held: one that no order ends is seen here, whatever order believes.

Database down: the numbers stay as they were; the next round measures again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry, Gauge

from services.chassis.errors import Problem
from services.chassis.postgres import Database

EVERY_S = 15.0
HELD = (
    "SELECT count(*) AS held, coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest "
    "FROM reservation WHERE state = 'held'"
)

_log = logging.getLogger(__name__)


class HeldStock:
    def __init__(self, database: Database, registry: CollectorRegistry, *, every: float = EVERY_S) -> None:
        self._database = database
        self._every = every
        self._held = Gauge(
            "catalog_reservations_held",
            "Reservations that are neither sold nor given back.",
            registry=registry,
        )
        self._oldest = Gauge(
            "catalog_reservations_held_oldest_seconds",
            "Age of the oldest of them: more than an order's hold and some minutes is stock that nobody gives back.",
            registry=registry,
        )

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run(), name="held stock")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def measure(self) -> None:
        row = (await self._database.fetch(HELD))[0]
        self._held.set(row["held"])
        self._oldest.set(row["oldest"])

    async def _run(self) -> None:
        while True:
            try:
                await self.measure()
            except Problem as fault:
                _log.warning("held stock is not measured", extra={"cause": fault.detail})
            except Exception:
                # Whatever it is, the next round may do better.
                _log.exception("held stock is not measured")
            await asyncio.sleep(self._every)
