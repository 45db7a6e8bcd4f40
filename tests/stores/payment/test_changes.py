"""A payment is changed by one statement, and only as it was read: who comes second writes nothing of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.payment.adapters.payment_messages import ORDER, PROVIDER
from services.payment.adapters.payments_postgres import PostgresPayments
from services.payment.application.ports import Booking
from services.payment.application.record import Record, Terms
from services.payment.commands import MIGRATIONS
from services.payment.domain.ledger import Movement
from services.payment.domain.payments import Goal, Known, Payment, Session
from services.payment.domain.refunds import Refund

NOW = datetime(2026, 11, 27, tzinfo=UTC)
TERMS = Terms(1000, "KRW", "1", None, "ko", "https://shop.test/1", "https://shop.test/2")


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url, application="test")
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield database


@pytest.fixture
def payments(database: Database) -> PostgresPayments:
    return PostgresPayments(database, lambda: NOW)


async def added(payments: PostgresPayments) -> Record:
    order = uuid4()
    new = Record(
        order=order,
        terms=TERMS,
        provider="stripe",
        payment=Payment(amount=1000),
        created_at=NOW,
        updated_at=NOW,
    )
    assert await payments.add(new)
    return await present(payments, order)


async def present(payments: PostgresPayments, order: UUID) -> Record:
    found = await payments.get(order)
    assert found is not None
    return found


def captured(record: Record) -> tuple[Record, list[Booking]]:
    """As after a look at the provider, which has collected everything."""
    known = Known(session=Session.COMPLETE, authorised=1000, captured=1000)
    seen = replace(record, session_id=f"cs_{record.order}", intent=f"pi_{record.order}").with_known(known)
    return seen, [Booking(Movement.CAPTURE, f"pi_{record.order}", 1000)]


async def written(database: Database, order: UUID) -> dict[str, int]:
    """Rows of every table that a change writes."""
    (row,) = await database.fetch(
        "SELECT (SELECT count(*) FROM payment_object WHERE order_id = $1) AS objects, "
        "(SELECT count(*) FROM ledger_transaction WHERE order_id = $1) AS transactions, "
        "(SELECT count(*) FROM ledger_entry JOIN ledger_transaction ON transaction_id = id WHERE order_id = $1) "
        "AS entries, (SELECT count(*) FROM outbox WHERE aggregate LIKE 'payment:' || $1 || ':%') AS messages, "
        "(SELECT count(*) FROM refund WHERE order_id = $1) AS refunds, "
        "(SELECT count(*) FROM provider_call WHERE order_id = $1) AS calls",
        order,
    )
    return dict(row)


NOTHING = {"objects": 0, "transactions": 0, "entries": 0, "messages": 0, "refunds": 0, "calls": 0}


async def test_a_change_is_written_with_all_that_belongs_to_it(
    payments: PostgresPayments, database: Database
) -> None:
    record = await added(payments)
    seen, bookings = captured(record)
    saved = await payments.replace(seen, record, bookings, ask=True)
    assert saved == seen == await present(payments, record.order)
    assert saved.version == (await present(payments, record.order)).version != record.version
    assert await written(database, record.order) == NOTHING | {
        "objects": 2,
        "transactions": 1,
        "entries": 2,
        "messages": 2,
    }
    assert [(entry.account, entry.amount) for entry in await payments.ledger(record.order)] == [
        ("provider", 1000),
        ("sales", -1000),
    ]
    assert database.message_written[ORDER].is_set()
    assert database.message_written[PROVIDER].is_set()


async def test_nothing_is_written_of_a_change_of_what_is_no_longer_so(
    payments: PostgresPayments, database: Database
) -> None:
    record = await added(payments)
    voided = replace(record, payment=record.payment.wanted(Goal.CAPTURE))
    assert await payments.replace(voided, record) is not None
    seen, bookings = captured(record)
    refunded = seen.with_refund(Refund(id=uuid4(), amount=1, reason=""))
    assert await payments.replace(refunded, record, bookings, ask=True) is None
    assert await present(payments, record.order) == voided
    assert await written(database, record.order) == NOTHING
    assert not database.message_written[PROVIDER].is_set()


async def test_of_changes_at_once_one_is_written(payments: PostgresPayments, database: Database) -> None:
    record = await added(payments)
    seen, bookings = captured(record)
    saved = await asyncio.gather(*(payments.replace(seen, record, bookings) for _ in range(6)))
    assert sum(each is not None for each in saved) == 1
    assert (await written(database, record.order))["messages"] == 1


async def test_a_change_waits_for_whoever_holds_the_lock_and_sees_what_they_made(
    payments: PostgresPayments, database: Database
) -> None:
    record = await added(payments)
    async with payments.transaction():
        held = await payments.locked(record.order)
        assert held is not None
        with database.apart():
            waiting = asyncio.create_task(payments.replace(replace(record, sequence=7), record))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await payments.save(replace(held, payment=held.payment.wanted(Goal.VOID)), held)
    assert await waiting is None
    assert (await present(payments, record.order)).payment.goal is Goal.VOID


async def test_what_is_booked_is_left_alone_by_later_changes(
    payments: PostgresPayments, database: Database
) -> None:
    seen, bookings = captured(await added(payments))
    for _ in range(2):
        seen = await present(payments, seen.order)
        again, bookings = captured(seen)
        assert await payments.replace(again, seen, [*bookings, *bookings]) is not None
    assert (await written(database, seen.order))["entries"] == 2


async def test_a_payment_is_added_with_its_call_once(payments: PostgresPayments, database: Database) -> None:
    new = replace(await added(payments), order=uuid4(), version=0)
    made = await asyncio.gather(*(payments.add_with_call(new, f"session:{new.order}:1") for _ in range(4)))
    ((record, call),) = [each for each in made if each is not None]
    assert record == new
    assert await payments.begin(call.name, record) == call
    assert (await written(database, new.order))["calls"] == 1


async def test_no_call_is_begun_for_what_is_no_longer_so(
    payments: PostgresPayments, database: Database
) -> None:
    record = await added(payments)
    assert await payments.replace(replace(record, sequence=1), record) is not None
    assert await payments.begin(f"cap:{record.order}:1", record) is None
    assert await written(database, record.order) == NOTHING
