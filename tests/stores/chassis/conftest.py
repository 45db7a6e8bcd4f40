from collections.abc import AsyncIterator, Callable

import pytest

from services.chassis.migrations import CHASSIS, migrate
from services.chassis.postgres import Database


@pytest.fixture
async def database(new_postgres_database: Callable[[], str]) -> AsyncIterator[Database]:
    """A database with the chassis' tables, and one for effects."""
    database = Database(new_postgres_database(), application="test", pool_max=6, statement_timeout=2)
    async with database.lifespan():
        await migrate(database, CHASSIS)
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE effect (name text NOT NULL)")
        yield database
