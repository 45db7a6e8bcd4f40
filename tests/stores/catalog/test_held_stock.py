"""Stock that is held for ever is seen: the oldest hold has an age, and none when all are sold or given back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from prometheus_client import CollectorRegistry

from services.catalog.adapters.held_stock import HeldStock
from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.commands import MIGRATIONS
from services.catalog.domain.reservations import Goal, Line, combined
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from tests.stores.catalog.shelves import Shelves


async def test_the_oldest_hold_has_an_age(new_postgres_database: Callable[[], str]) -> None:
    database = Database(new_postgres_database(), application="test")
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        stock, registry = PostgresStock(database), CollectorRegistry()
        shelves, watch = Shelves(database, stock), HeldStock(database, registry)

        async def measured() -> tuple[float | None, bool]:
            await watch.measure()
            age = registry.get_sample_value("catalog_reservations_held_oldest_seconds") or 0.0
            return registry.get_sample_value("catalog_reservations_held"), age >= 3600

        assert await measured() == (0, False)
        order, lines = uuid4(), combined([Line(await shelves.variant(5), 2)])
        an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
        await stock.pursue(order, Goal.HELD, lines, an_hour_ago)
        assert await measured() == (1, True)
        await stock.pursue(order, Goal.RELEASED, lines, datetime.now(UTC))
        assert await measured() == (0, False)
