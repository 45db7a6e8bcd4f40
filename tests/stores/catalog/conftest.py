from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest

from services.catalog.adapters.stock_postgres import PostgresStock
from services.chassis.migrations import CHASSIS, migrate
from services.chassis.postgres import Database
from tests.stores.catalog.shelves import Shelves

MIGRATIONS = (CHASSIS, ("catalog", "services.catalog.adapters.piccolo_migrations"))


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url, application="catalog tests", pool_max=16)
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield database


@pytest.fixture
def stock(database: Database) -> PostgresStock:
    return PostgresStock(database)


@pytest.fixture
def shelves(database: Database, stock: PostgresStock) -> Shelves:
    return Shelves(database, stock)


@pytest.fixture
def new_order() -> Callable[[], UUID]:
    return uuid4
