"""Payments in PostgreSQL. A change is one transaction: the row, its refunds, the ledger, and the messages about it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from common.telemetry import tracing
from services.chassis.postgres import Database
from services.payment.adapters import outbox_messages
from services.payment.application.ports import BookedPayment, Booking, LedgerEntry
from services.payment.application.record import Dispute, Record, Terms
from services.payment.domain.calls import Call
from services.payment.domain.ledger import Movement, entries
from services.payment.domain.payments import Goal, Known, Payment, Session
from services.payment.domain.refunds import Cause, Refund, RefundState

_SELECT = (
    "SELECT order_id, provider, amount, currency, reference, email, lang, return_url, cancel_url, goal, attempt, "
    "session, session_id, session_url, intent_id, authorised, captured, cancelled, sequence, created_at, "
    "updated_at FROM payment WHERE order_id = $1"
)

_PARTS = (
    "SELECT true AS refund, id, amount, reason, cause, state, provider_id, false AS won, created_at "
    "FROM refund WHERE order_id = $1 UNION ALL "
    "SELECT false, NULL, amount, NULL, NULL, status, provider_id, won, NULL FROM dispute WHERE order_id = $1 "
    "ORDER BY created_at, id, provider_id"
)
"""Refunds and disputes."""


_CALL = (
    "WITH begun AS (INSERT INTO provider_call (name, order_id, begun_at) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING RETURNING name, round, begun_at, failed_at) SELECT * FROM begun "
    "UNION ALL SELECT name, round, begun_at, failed_at FROM provider_call WHERE name = $1"
)
_BOOK = (
    "WITH booked AS (INSERT INTO ledger_transaction (order_id, movement, provider_id, intent_id, currency) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (movement, provider_id) DO NOTHING RETURNING id) "
    "INSERT INTO ledger_entry (transaction_id, account, amount) "
    "SELECT booked.id, entry.* FROM booked, unnest($6::text[], $7::bigint[]) AS entry"
)
"""Once: what is booked already is left alone."""


class PostgresPayments:
    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        return self._database.transaction()

    async def add(self, record: Record) -> bool:
        terms, payment = record.terms, record.payment
        async with self._database.transaction() as connection:
            added = await connection.fetchval(
                "INSERT INTO payment (order_id, provider, amount, currency, reference, email, lang, return_url, "
                "cancel_url, goal, session, state, created_at, updated_at, traceparent) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14) ON CONFLICT DO NOTHING "
                "RETURNING true",
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
            )
        return bool(added)

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

    async def save(self, record: Record, was: Record | None, bookings: Sequence[Booking] = ()) -> None:
        payment, known = record.payment, record.payment.known
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE payment SET goal = $2, attempt = $3, session = $4, session_id = $5, session_url = $6, "
                "intent_id = $7, authorised = $8, captured = $9, cancelled = $10, state = $11, sequence = $12, "
                "updated_at = $13, checked_at = $13 WHERE order_id = $1",
                record.order,
                payment.goal.name.lower(),
                record.attempt,
                known.session.value,
                record.session_id,
                record.session_url,
                record.intent,
                known.authorised,
                known.captured,
                known.cancelled,
                payment.state.value,
                record.sequence,
                record.updated_at,
            )
            await self._save_objects(connection, record, was)
            await self._save_refunds(connection, record, was)
            for booking in bookings:
                await _book(connection, record, booking)
            if outbox_messages.is_news(record, was):
                await outbox_messages.tell_order(self._database, record)

    async def _save_objects(self, connection: asyncpg.Connection, record: Record, was: Record | None) -> None:
        known_before = {None, was.session_id, was.intent} if was else {None}
        if new := [id_ for id_ in (record.session_id, record.intent) if id_ not in known_before]:
            await connection.execute(
                "INSERT INTO payment_object (provider_id, order_id, attempt) SELECT unnest($1::text[]), $2, $3 "
                "ON CONFLICT DO NOTHING",
                new,
                record.order,
                record.attempt,
            )

    async def _save_refunds(self, connection: asyncpg.Connection, record: Record, was: Record | None) -> None:
        before = set(was.refunds) if was else set()
        for refund in record.refunds:
            if refund not in before:
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
        if was is None or record.disputes != was.disputes:
            for dispute in record.disputes:
                await connection.execute(
                    "INSERT INTO dispute (provider_id, order_id, amount, status, won) VALUES ($1, $2, $3, $4, $5) "
                    "ON CONFLICT (provider_id) DO UPDATE SET status = $4, won = $5",
                    dispute.id,
                    record.order,
                    dispute.amount,
                    dispute.status,
                    dispute.won,
                )

    async def ask_provider(self, order: UUID, *, refresh: bool = False) -> None:
        if not refresh:
            await outbox_messages.ask_provider(self._database, order, refresh=False)
            return
        # A webhook has a trace of its own, and a round none: what follows is the payment's, and goes on in its trace.
        rows = await self._database.fetch("SELECT traceparent FROM payment WHERE order_id = $1", order)
        began = rows[0]["traceparent"] if rows else ""
        tracing.link(began)
        await outbox_messages.ask_provider(self._database, order, refresh=True, traceparent=began or None)

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
            SELECT intent_id, (array_agg(order_id))[1] AS order_id,
                coalesce(-sum(amount) FILTER (WHERE account = 'sales'), 0)::bigint AS captured,
                coalesce(sum(amount) FILTER (WHERE account = 'refunds'), 0)::bigint AS refunded
            FROM ledger_transaction JOIN ledger_entry ON transaction_id = id
            WHERE intent_id = ANY($1) GROUP BY intent_id
            """,
            list(intents),
        )
        return {
            row["intent_id"]: BookedPayment(
                row["intent_id"], row["order_id"], row["captured"], row["refunded"]
            )
            for row in rows
        }


async def _book(connection: asyncpg.Connection, record: Record, booking: Booking) -> None:
    booked = entries(booking.movement, booking.amount)
    await connection.execute(
        _BOOK,
        record.order,
        booking.movement.value,
        booking.provider_id,
        record.intent,
        record.terms.currency,
        [entry.account.value for entry in booked],
        [entry.amount for entry in booked],
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
    ).summed()
