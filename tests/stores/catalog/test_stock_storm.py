"""500 buyers for 300 units over two replicas, either of which is killed in the middle: 300 are held, never 301.

`make storm-catalog` runs it twenty times and shows each (CATALOG_STORM_RUNS).
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.domain.stock import Stock
from services.chassis.postgres import Database
from tests.stores.catalog.replicas import Replica, command, environment
from tests.stores.catalog.shelves import Shelves
from tests.stores.catalog.shop import INTERNAL

BUYERS, UNITS = 500, 300
AT_ONCE = 48
RUNS = int(os.environ.get("CATALOG_STORM_RUNS", "1"))


@pytest.mark.timeout(120 + 60 * RUNS)
async def test_hazard_1_killed_replicas_sell_no_unit_twice(
    new_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    url = new_postgres_database()
    replicas = [Replica(environment(url), tmp_path / f"log-{number}") for number in range(2)]
    database = Database(url, application="storm", pool_max=2)
    try:
        for replica in replicas:
            replica.start()
        for replica in replicas:
            await asyncio.to_thread(replica.await_ready)
        async with database.lifespan():
            shelves = Shelves(database, PostgresStock(database))
            for run in range(1, RUNS + 1):
                variant = await shelves.variant(UNITS)
                outcomes, repeated = await _sale(replicas, variant, random.Random(run))
                stock = await shelves.of(variant)
                print(f"run {run}: {dict(outcomes)}, {repeated} calls repeated, {stock}")
                assert outcomes == {"held": UNITS, "sold_out": BUYERS - UNITS}
                assert stock == Stock(UNITS, UNITS)
    finally:
        for replica in replicas:
            await asyncio.to_thread(replica.stop)
    audit = await asyncio.to_thread(command, url, "audit-stock")
    assert (audit.returncode, audit.stdout) == (0, "0 differences\n"), audit.stderr


async def _sale(replicas: list[Replica], variant: UUID, chance: random.Random) -> tuple[Counter[str], int]:
    """Every buyer's outcome. One of the replicas is killed once some buyers have theirs, and comes back."""
    outcomes: Counter[str] = Counter()
    orders = iter([uuid4() for _ in range(BUYERS)])
    victim, moment = chance.choice(replicas), chance.randint(50, BUYERS - 100)
    repeated = 0
    killing: asyncio.Task[None] | None = None

    def kill() -> None:
        victim.kill()
        victim.start()

    async with httpx.AsyncClient(
        headers=INTERNAL, timeout=10, limits=httpx.Limits(max_connections=None)
    ) as client:

        async def buyer(first: int) -> None:
            nonlocal repeated, killing
            turn = first
            for order in orders:
                body = {"goal": "held", "lines": [{"variant_id": str(variant), "quantity": 1}]}
                while True:
                    replica = replicas[turn % 2]
                    turn += 1
                    try:
                        answer = await client.put(f"{replica.url}/internal/reservations/{order}", json=body)
                    except httpx.TransportError:
                        repeated += 1
                        await asyncio.sleep(0.02)
                        continue
                    if answer.status_code == 200:
                        outcomes[answer.json()["state"]] += 1
                        break
                    assert answer.status_code == 503, answer.text
                    repeated += 1
                    await asyncio.sleep(0.02)
                if killing is None and outcomes.total() >= moment:
                    killing = asyncio.create_task(asyncio.to_thread(kill))

        await asyncio.gather(*(buyer(number) for number in range(AT_ONCE)))
    assert killing is not None
    await killing
    await asyncio.to_thread(victim.await_ready)
    return outcomes, repeated
