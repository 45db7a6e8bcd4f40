"""What the metrics say of the ledger."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.payment.adapters.reports_postgres import PostgresReports
from services.payment.commands import MIGRATIONS

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
PAYMENT = (
    "INSERT INTO payment (order_id, provider, amount, currency, reference, lang, return_url, cancel_url, goal, "
    "session, state, captured, created_at, updated_at, checked_at) VALUES "
    "(md5('1')::uuid, 'stripe', 900, 'KRW', '1', 'ko', '', '', 'capture', 'complete', 'captured', 900, $1, $1, $1)"
)
BOOKED = (
    "WITH moved AS (INSERT INTO ledger_transaction (order_id, movement, provider_id, intent_id, currency, at) "
    "VALUES (md5('1')::uuid, $1, $2, 'pi', 'KRW', $3) RETURNING id) "
    "INSERT INTO ledger_entry (transaction_id, account, amount) SELECT id, account, sign * $4::bigint FROM moved, "
    "(VALUES ('provider', 1), ('sales', -1)) AS e (account, sign)"
)


@pytest.fixture
async def database(new_postgres_database: object) -> AsyncIterator[Database]:
    assert callable(new_postgres_database)
    database = Database(new_postgres_database(), application="test")
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield database


async def test_money_is_summed_by_movement_since_midnight(database: Database) -> None:
    await database.fetch(PAYMENT, MIDNIGHT)
    for movement, id_, at, amount in (
        ("capture", "a", MIDNIGHT - timedelta(seconds=1), 5000),
        ("capture", "b", MIDNIGHT, 600),
        ("capture", "c", MIDNIGHT + timedelta(hours=3), 300),
        ("refund", "d", MIDNIGHT + timedelta(hours=4), 100),
    ):
        await database.fetch(BOOKED, movement, id_, at, amount)
    moved = await PostgresReports(database).moved_since(MIDNIGHT)
    assert moved == {("capture", "KRW"): 900, ("refund", "KRW"): 100}
