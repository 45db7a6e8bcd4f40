"""Thirty products in six categories, so that a first start has something to sell. Development only."""

from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import count

from services.catalog.adapters.importing import Importer
from services.chassis.postgres import Database

FILE = resources.files("services.catalog.adapters") / "demo_products.jsonl"
_FIRST = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_LOCK = 0x64656D6F


async def load(database: Database, currency: str) -> bool:
    """Loads the demo products into an empty catalog; False where there is any. Replicas take turns."""
    minutes = count()
    faults: list[str] = []
    importer = Importer(
        database,
        # Each a little later than the one before, so that "newest" has an order.
        lambda: _FIRST + timedelta(minutes=next(minutes)),
        currency=currency,
        refuse=lambda line, text: faults.append(f"line {line}: {text}"),
    )
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("SELECT EXISTS (SELECT FROM category)"):
            return False
        with resources.as_file(FILE) as path:
            await importer.run(path)
        if faults:
            raise ValueError(f"the demo data is not right: {'; '.join(faults)}")
    return True
