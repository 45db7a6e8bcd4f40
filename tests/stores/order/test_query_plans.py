"""Every list of orders, and every look of a loop at them, is answered from indexes at 50,000 orders."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.order.adapters import measured_orders, orders_postgres
from services.order.adapters.orders_postgres import page_statement
from services.order.application.ports import OrderQuery, OrderSort
from services.order.commands import MIGRATIONS
from services.order.domain.states import FINAL, State
from tests.query_plans import scanned, settle

ORDERS = 50_000
OWNER = UUID("00000000-0000-0000-0000-000000000007")
AT = datetime(2026, 2, 1, tzinfo=UTC)

FILL = (
    "INSERT INTO cart (id, owner, created_at, updated_at, closed_at) SELECT md5('cart ' || n)::uuid, "
    "md5('owner ' || n % 5000)::uuid, timestamptz '2026-01-01Z', timestamptz '2026-01-01Z', "
    "timestamptz '2026-01-01Z' FROM generate_series(1, $1) AS n",
    # One in a hundred is under way, as in a shop that runs.
    "INSERT INTO orders (id, owner, guest, email, lang, cart_id, state, currency, items, shipping, tax, address, "
    "hold_until, placed_at, updated_at) SELECT md5('order ' || n)::uuid, md5('owner ' || n % 5000)::uuid, n % 2 = 0, "
    "'shopper' || n % 5000 || '@example.com', 'ko', md5('cart ' || n)::uuid, CASE WHEN n % 100 = 0 THEN "
    "(ARRAY['placed', 'held', 'paying', 'authorised', 'committed', 'closing', 'releasing', 'refunding'])"
    "[1 + n / 100 % 8] ELSE (ARRAY['paid', 'shipped', 'delivered', 'expired', 'cancelled', 'refunded'])[1 + n % 6] "
    "END, 'KRW', 10000, 3000, 1182, jsonb_build_object('recipient', (ARRAY['김', '이', '박', '최'])[1 + n % 4] "
    "|| chr(44032 + n % 97 * 28) || chr(44032 + n % 89 * 28)), at, at, at "
    "FROM (SELECT n, timestamptz '2026-01-01Z' + n * interval '1 minute' AS at "
    "FROM generate_series(1, $1) AS n) AS numbered",
    "INSERT INTO order_line (order_id, position, sku, variant_id, product_id, slug, names, option_names, quantity, "
    "unit_price, vat_rate, units, unit_taxes) SELECT md5('order ' || n)::uuid, p, 'SKU', md5('v')::uuid, "
    "md5('p')::uuid, 'sku', '{}', '{}', 1, 5000, 1000, ARRAY[5000], ARRAY[455] "
    "FROM generate_series(1, $1) AS n, generate_series(1, 2) AS p",
)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def url(new_postgres_database: Callable[[], str]) -> str:
    return new_postgres_database()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url, application="test", statement_timeout=60)
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        if not await database.fetch("SELECT FROM orders LIMIT 1"):
            for statement in FILL:
                await database.fetch(statement, ORDERS)
            await settle(database)
        yield database


def page(**changes: Any) -> tuple[str, list[Any]]:
    return page_statement(OrderQuery(limit=21, **changes))


STATEMENTS = {
    "one's own": page(owner=OWNER),
    "one's own, later": page(owner=OWNER, after=(AT, OWNER)),
    "everybody's": page(),
    "everybody's, later": page(after=(AT, OWNER)),
    "in a state": page(states=(State.PAID,)),
    "in a state, the oldest first": page(states=(State.PAID,), sort=OrderSort.OLDEST, after=(AT, OWNER)),
    "in a rare state": page(states=(State.REFUNDING,), after=(AT, OWNER)),
    "of an address": page(email="shopper7@example.com"),
    "of a number": page(number=100_500),
    "of a recipient": page(recipient="김가가"),
    "of a frequent surname and a state": page(recipient="김가", states=(State.PAID,)),
    "of a day": page(placed_from=AT, placed_before=AT.replace(day=2)),
    "a day's, by state": (orders_postgres.PLACED, [AT, AT.replace(day=2)]),
    "open ones, by state": (orders_postgres.OPEN_NUMBERS, [list(orders_postgres.OPEN), 1000]),
    "the oldest that is not sent": (orders_postgres.UNSENT, []),
    "an order": (orders_postgres.ONE, [OWNER]),
    "due": (orders_postgres.DUE, [AT, 50]),
    "open, measured": (measured_orders.OPEN, [[state.value for state in set(State) - FINAL]]),
    "unfinished, measured": (measured_orders.UNFINISHED, []),
    "refunds, measured": (measured_orders.REFUNDS, []),
    "overdue, measured": (measured_orders.OVERDUE, []),
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_read_scans_a_table(database: Database, name: str) -> None:
    assert await scanned(database, *STATEMENTS[name]) == []
