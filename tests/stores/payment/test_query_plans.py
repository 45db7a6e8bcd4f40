"""What is asked of all payments again and again is answered from indexes at 50,000 payments."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.payment.adapters import reports_postgres
from services.payment.commands import MIGRATIONS
from services.payment.domain.payments import State
from tests.query_plans import scanned, settle

PAYMENTS = 50_000
NOBODY = UUID(int=0)
AT = datetime(2026, 2, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 1, tzinfo=UTC)

FILL = (
    "INSERT INTO payment (order_id, provider, amount, currency, reference, lang, return_url, cancel_url, goal, "
    "session, state, captured, created_at, updated_at, checked_at) SELECT md5('order ' || n)::uuid, 'stripe', 10000, "
    "'KRW', n::text, 'ko', '', '', 'capture', 'complete', CASE WHEN n % 100 = 0 THEN "
    "(ARRAY['new', 'session_open', 'authorised', 'capturing', 'voiding', 'refunding'])[1 + n / 100 % 6] ELSE "
    "(ARRAY['captured', 'captured', 'voided', 'failed', 'refunded'])[1 + n % 5] END, 10000, at, at, at "
    "FROM (SELECT n, timestamptz '2026-01-01Z' + n * interval '1 minute' AS at FROM generate_series(1, $1) AS n) AS x",
    "INSERT INTO refund (id, order_id, amount, reason, cause, state) SELECT md5('refund ' || n)::uuid, "
    "md5('order ' || n)::uuid, 100, '', 'requested', CASE WHEN n % 500 = 0 THEN 'pending' ELSE 'done' END "
    "FROM generate_series(1, $1, 5) AS n",
    "WITH booked AS (INSERT INTO ledger_transaction (order_id, movement, provider_id, intent_id, currency, at) "
    "SELECT md5('order ' || n)::uuid, 'capture', n::text, n::text, 'KRW', timestamptz '2026-01-01Z' + n * "
    "interval '1 minute' FROM generate_series(1, $1) AS n RETURNING id) "
    "INSERT INTO ledger_entry (transaction_id, account, amount) SELECT id, account, amount FROM booked, "
    "(VALUES ('provider', 10000), ('sales', -10000)) AS entry (account, amount)",
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
        if not await database.fetch("SELECT FROM payment LIMIT 1"):
            for statement in FILL:
                await database.fetch(statement, PAYMENTS)
            await settle(database)
        yield database


STATEMENTS: dict[str, tuple[str, list[Any]]] = {
    "latest": reports_postgres.list_statement(None, 21, None),
    "latest, later": reports_postgres.list_statement(None, 21, (AT, NOBODY)),
    "in a state": reports_postgres.list_statement(State.CAPTURED, 21, None),
    "in a rare state": reports_postgres.list_statement(State.REFUNDING, 21, (AT, NOBODY)),
    "unfinished, measured": (reports_postgres.UNFINISHED, []),
    "revenue of a day": (reports_postgres.REVENUE, [AT, AT + timedelta(days=1)]),
    "moved today, measured": (reports_postgres.MOVED, [AT]),
    "oldest, measured": (reports_postgres.OLDEST_UNFINISHED, []),
    "oldest refund, measured": (reports_postgres.OLDEST_REFUND, []),
    "due": (reports_postgres.DUE, [timedelta(minutes=10), timedelta(seconds=20), NOW, 100]),
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_read_scans_a_table(database: Database, name: str) -> None:
    assert await scanned(database, *STATEMENTS[name]) == []
