"""Payments in PostgreSQL. A change is one transaction: the row, its refunds, the ledger, and the messages about it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from common.telemetry import tracing
from services.chassis.outbox import single_statement
from services.chassis.postgres import Database
from services.payment.adapters import payment_messages, payment_writes
from services.payment.application.ports import BookedPayment, Booking, LedgerEntry
from services.payment.application.record import Dispute, Record, Terms
from services.payment.domain.calls import Call
from services.payment.domain.ledger import Movement
from services.payment.domain.payments import Goal, Known, Payment, Session
from services.payment.domain.refunds import Cause, Refund, RefundState

_SELECT = (
    "SELECT order_id, provider, amount, currency, reference, email, lang, return_url, cancel_url, goal, attempt, "
    "session, session_id, session_url, intent_id, authorised, captured, cancelled, sequence, created_at, "
    "updated_at, xmin AS version FROM payment WHERE order_id = $1"
)

_PARTS = (
    "SELECT true AS refund, id, amount, reason, cause, state, provider_id, false AS won, created_at "
    "FROM refund WHERE order_id = $1 UNION ALL "
    "SELECT false, NULL, amount, NULL, NULL, status, provider_id, won, NULL FROM dispute WHERE order_id = $1 "
    "ORDER BY created_at, id, provider_id"
)
"""Refunds and disputes."""

_ADD = (
    "INSERT INTO payment (order_id, provider, amount, currency, reference, email, lang, return_url, cancel_url, goal, "
    "session, state, created_at, updated_at, traceparent, sequence) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15) ON CONFLICT DO NOTHING "
    "RETURNING order_id, xmin AS version"
)
_ADD_WITH_CALL = (
    f"WITH added AS ({_ADD}), begun AS (INSERT INTO provider_call (name, order_id, begun_at) "  # noqa: S608
    "SELECT $16, order_id, $17 FROM added) SELECT version FROM added"
)
_CALL = (
    "WITH begun AS (INSERT INTO provider_call (name, order_id, begun_at) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING RETURNING name, round, begun_at, failed_at) SELECT * FROM begun "
    "UNION ALL SELECT name, round, begun_at, failed_at FROM provider_call WHERE name = $1"
)
_CALL_OF_VERSION = (
    "WITH payment_now AS (SELECT order_id FROM payment WHERE order_id = $2 AND xmin = $4), "
    "begun AS (INSERT INTO provider_call (name, order_id, begun_at) SELECT $1, order_id, $3 FROM payment_now "
    "ON CONFLICT DO NOTHING RETURNING name, round, begun_at, failed_at) SELECT * FROM begun "
    "UNION ALL SELECT name, round, begun_at, failed_at FROM provider_call, payment_now WHERE name = $1"
)


class PostgresPayments:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        return self._database.transaction()

    async def add(self, record: Record) -> bool:
        return bool(await self._database.fetch(_ADD, *_added(record)))

    async def add_with_call(self, record: Record, name: str) -> tuple[Record, Call] | None:
        begun_at = self._now()
        rows = await self._database.fetch(_ADD_WITH_CALL, *_added(record), name, begun_at)
        return (replace(record, version=rows[0]["version"]), Call(name, 1, begun_at)) if rows else None

    async def locked(self, order: UUID) -> Record | None:
        # The parts apart: a statement that waits for the lock sees other tables as they were before.
        return await self._with_parts(order, f"{_SELECT} FOR UPDATE")

    async def get(self, order: UUID) -> Record | None:
        return await self._with_parts(order, _SELECT)

    async def _with_parts(self, order: UUID, select: str) -> Record | None:
        rows = await self._database.fetch(select, order)
        if not rows:
            return None
        # Refunds and disputes are of collected money alone, and nothing takes back that it was collected.
        return _record(rows[0], await self._database.fetch(_PARTS, order) if rows[0]["captured"] else ())

    async def save(
        self, record: Record, was: Record | None, bookings: Sequence[Booking] = (), *, ask: bool = False
    ) -> None:
        await self._write(record, was, bookings, ask=ask, only=None)

    async def replace(
        self, record: Record, was: Record, bookings: Sequence[Booking] = (), *, ask: bool = False
    ) -> Record | None:
        return await self._write(record, was, bookings, ask=ask, only=was.version)

    async def _write(
        self, record: Record, was: Record | None, bookings: Sequence[Booking], *, ask: bool, only: int | None
    ) -> Record | None:
        """One statement, and one more for each refund and dispute that is not as it was; those are few."""
        statement = payment_writes.of(record, was, bookings, ask=ask, only=only)
        refunds, disputes = _changed_parts(record, was)
        if not refunds and not disputes:
            return await self._run(statement, record)
        async with self._database.transaction() as connection:
            written = await self._run(statement, record)
            if written is not None:
                await _write_parts(connection, record, refunds, disputes)
        return written

    async def _run(self, statement: payment_writes.Write, record: Record) -> Record | None:
        rows = await self._database.fetch(statement.sql, *statement.arguments)
        if not rows:
            return None
        for target in statement.told:
            single_statement.written(self._database, target)
        return replace(record, version=rows[0]["version"])

    async def ask_provider(self, order: UUID) -> None:
        # A person has a trace of their own, and a round none: what follows is the payment's, and goes on in its trace.
        rows = await self._database.fetch("SELECT traceparent FROM payment WHERE order_id = $1", order)
        began = rows[0]["traceparent"] if rows else ""
        tracing.link(began)
        await payment_messages.refresh(self._database, order, traceparent=began or None)

    async def begin(self, name: str, record: Record) -> Call | None:
        rows = await self._database.fetch(_CALL_OF_VERSION, name, record.order, self._now(), record.version)
        return Call(**rows[0]) if rows else None

    async def call(self, name: str, order: UUID) -> Call:
        while True:
            rows = await self._database.fetch(_CALL, name, order, self._now())
            if (
                rows
            ):  # else somebody else wrote it down while this waited, and it is seen by the next statement
                return Call(**rows[0])

    async def call_failed(self, call: Call) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE provider_call SET failed_at = $3 WHERE name = $1 AND round = $2",
                call.name,
                call.round,
                self._now(),
            )

    async def next_round(self, call: Call) -> Call:
        async with self._database.transaction() as connection:
            # Of two who looked at once, one makes the next round and both use it.
            await connection.execute(
                "UPDATE provider_call SET round = round + 1, begun_at = $3, failed_at = NULL "
                "WHERE name = $1 AND round = $2",
                call.name,
                call.round,
                self._now(),
            )
            row = await connection.fetchrow(
                "SELECT name, round, begun_at, failed_at FROM provider_call WHERE name = $1", call.name
            )
        return Call(**row)

    async def ledger(self, order: UUID) -> Sequence[LedgerEntry]:
        rows = await self._database.fetch(
            "SELECT movement, provider_id, account, amount, at FROM ledger_transaction "
            "JOIN ledger_entry ON transaction_id = id WHERE order_id = $1 ORDER BY id, amount DESC",
            order,
        )
        return [
            LedgerEntry(
                Movement(row["movement"]), row["provider_id"], row["account"], row["amount"], row["at"]
            )
            for row in rows
        ]

    async def booked(self, intents: Sequence[str]) -> dict[str, BookedPayment]:
        rows = await self._database.fetch(
            """
            SELECT t.intent_id, p.order_id, p.amount,
                coalesce(-sum(e.amount) FILTER (WHERE account = 'sales'), 0)::bigint AS captured,
                coalesce(sum(e.amount) FILTER (WHERE account = 'refunds'), 0)::bigint AS refunded,
                (SELECT coalesce(sum(r.amount), 0)::bigint FROM refund r
                    WHERE r.order_id = p.order_id AND r.state = 'pending') AS pending
            FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id JOIN payment p USING (order_id)
            WHERE t.intent_id = ANY($1) GROUP BY t.intent_id, p.order_id
            """,
            list(intents),
        )
        return {
            row["intent_id"]: BookedPayment(
                row["intent_id"],
                row["order_id"],
                row["captured"],
                row["refunded"],
                row["amount"],
                row["pending"],
            )
            for row in rows
        }


def _added(record: Record) -> tuple[Any, ...]:
    """The values of _ADD."""
    terms, payment = record.terms, record.payment
    return (
        record.order,
        record.provider,
        terms.amount,
        terms.currency,
        terms.reference,
        terms.email,
        terms.lang,
        terms.return_url,
        terms.cancel_url,
        payment.goal.name.lower(),
        payment.known.session.value,
        payment.state.value,
        record.created_at,
        tracing.context(),
        record.sequence,
    )


def _changed_parts(record: Record, was: Record | None) -> tuple[Sequence[Refund], Sequence[Dispute]]:
    before = set(was.refunds) if was else set()
    refunds = [refund for refund in record.refunds if refund not in before]
    return refunds, () if was is not None and record.disputes == was.disputes else record.disputes


async def _write_parts(
    connection: asyncpg.Connection, record: Record, refunds: Sequence[Refund], disputes: Sequence[Dispute]
) -> None:
    for refund in refunds:
        await connection.execute(
            "INSERT INTO refund (id, order_id, amount, reason, cause, state, provider_id) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7) "
            "ON CONFLICT (id) DO UPDATE SET state = $6, provider_id = $7 WHERE refund.order_id = $2",
            refund.id,
            record.order,
            refund.amount,
            refund.reason,
            refund.cause.value,
            refund.state.value,
            refund.provider_id,
        )
    for dispute in disputes:
        await connection.execute(
            "INSERT INTO dispute (provider_id, order_id, amount, status, won) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (provider_id) DO UPDATE SET status = $4, won = $5",
            dispute.id,
            record.order,
            dispute.amount,
            dispute.status,
            dispute.won,
        )


def _record(row: Any, parts: Sequence[Any]) -> Record:
    return Record(
        order=row["order_id"],
        terms=Terms(**{name: row[name] for name in Terms.__slots__}),
        provider=row["provider"],
        payment=Payment(
            amount=row["amount"],
            goal=Goal[row["goal"].upper()],
            known=Known(
                session=Session(row["session"]),
                authorised=row["authorised"],
                captured=row["captured"],
                cancelled=row["cancelled"],
            ),
        ),
        attempt=row["attempt"],
        session_id=row["session_id"],
        session_url=row["session_url"],
        intent=row["intent_id"],
        sequence=row["sequence"],
        refunds=tuple(
            Refund(
                id=each["id"],
                amount=each["amount"],
                reason=each["reason"],
                cause=Cause(each["cause"]),
                state=RefundState(each["state"]),
                provider_id=each["provider_id"],
            )
            for each in parts
            if each["refund"]
        ),
        disputes=tuple(
            Dispute(each["provider_id"], each["amount"], each["state"], each["won"])
            for each in parts
            if not each["refund"]
        ),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    ).summed()
