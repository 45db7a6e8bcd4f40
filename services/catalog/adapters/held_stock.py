"""Says how long the oldest reservation is held: one that no order ends is seen here, whatever order believes.

Database down: the numbers stay as they were; the next round measures again.
"""

import logging
from contextlib import AbstractAsyncContextManager

from prometheus_client import CollectorRegistry, Gauge

from services.chassis.postgres import Database
from services.chassis.rounds import rounds

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

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return rounds("held stock", self._round, every=self._every)

    async def measure(self) -> None:
        row = (await self._database.fetch(HELD))[0]
        self._held.set(row["held"])
        self._oldest.set(row["oldest"])

    async def _round(self) -> bool:
        await self.measure()
        return False
