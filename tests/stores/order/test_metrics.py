"""Whatever an order can wait for has a number that rises meanwhile."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.order.adapters.measured_orders import WAITING, MeasuredOrders
from services.order.commands import MIGRATIONS
from services.order.domain.states import FINAL, State
from tests.stores.order.test_query_plans import FILL


@pytest.fixture
async def database(new_postgres_database: object) -> AsyncIterator[Database]:
    assert callable(new_postgres_database)
    database = Database(new_postgres_database(), application="test", statement_timeout=60)
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield database


async def test_what_waits_is_measured_from_when_it_began_to(database: Database) -> None:
    registry = CollectorRegistry()
    orders = MeasuredOrders(database, registry)

    async def measured(name: str, **labels: str) -> float:
        await orders.measure()
        return registry.get_sample_value(name, labels) or 0.0

    assert await measured("order_overdue_oldest_seconds") == 0
    assert await measured("order_open", state="paid") == 0
    for statement in FILL:
        await database.fetch(statement, 800)
    for state in WAITING:
        assert await measured("order_unfinished_oldest_seconds", state=state.value) > 3600, state
    assert await measured("order_overdue_oldest_seconds") > 3600
    rows = await database.fetch("SELECT state, count(*) AS orders FROM orders GROUP BY state")
    numbers = {row["state"]: row["orders"] for row in rows}
    for state in set(State) - FINAL:
        assert await measured("order_open", state=state.value) == numbers.get(state.value, 0), state
    assert registry.get_sample_value("order_open", {"state": "delivered"}) is None
    assert await measured("order_refunds_oldest_seconds", state="pending") == 0
    await database.fetch(
        "INSERT INTO refund (id, order_id, amount, reason, shipping, state, actor, created_at, updated_at) "
        "SELECT gen_random_uuid(), id, 1, 'other', false, 'pending', '', now() - interval '1 hour', now() "
        "FROM orders LIMIT 1"
    )
    assert 3600 <= await measured("order_refunds_oldest_seconds", state="pending") < 7200
    assert await measured("order_refunds_oldest_seconds", state="asked") == 0
