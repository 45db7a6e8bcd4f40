"""Lists, sums and comparisons over all payments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from services.chassis.postgres import Database
from services.payment.application.ports import BookedPayment
from services.payment.application.reconciliation import Comparison, Difference
from services.payment.application.reporting import FINISHED, Line
from services.payment.domain.payments import State

_LINES = (
    "SELECT order_id, reference, state, amount, currency, captured, created_at, updated_at, "
    "(SELECT coalesce(sum(amount), 0)::bigint FROM refund "
    "WHERE refund.order_id = payment.order_id AND refund.state = 'done') AS refunded FROM payment"
)
_WAITING = (
    "state <> ALL($1) OR EXISTS (SELECT FROM refund WHERE refund.order_id = payment.order_id "
    "AND refund.state = 'pending')"
)


class PostgresReports:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(
        self, state: State | None, limit: int, after: tuple[datetime, UUID] | None
    ) -> Sequence[Line]:
        arguments: list[object] = [limit]
        conditions = ["true"]
        if state is not None:
            arguments.append(state.value)
            conditions.append(f"state = ${len(arguments)}")
        if after is not None:
            arguments += after
            conditions.append(f"(created_at, order_id) < (${len(arguments) - 1}, ${len(arguments)})")
        rows = await self._database.fetch(
            f"{_LINES} WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, order_id DESC LIMIT $1",
            *arguments,
        )
        return [
            Line(
                row["order_id"],
                row["reference"],
                State(row["state"]),
                row["amount"],
                row["currency"],
                row["captured"],
                row["refunded"],
                row["created_at"],
                row["updated_at"],
            )
            for row in rows
        ]

    async def unfinished(self) -> Mapping[State, int]:
        rows = await self._database.fetch(
            "SELECT state, count(*) AS count FROM payment WHERE state <> ALL($1) GROUP BY state", _finished()
        )
        return {State(row["state"]): row["count"] for row in rows}

    async def oldest_unfinished(self) -> float:
        # Those that wait for the shopper, or for the order's word, are not late.
        rows = await self._database.fetch(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(updated_at)), 0)::float8 AS age FROM payment "
            "WHERE state = ANY($1)",
            [State.NEW.value, State.CAPTURING.value, State.VOIDING.value, State.REFUNDING.value],
        )
        age: float = rows[0]["age"]
        return age

    async def ledger_sum(self) -> int:
        rows = await self._database.fetch(
            "SELECT coalesce(sum(amount), 0)::bigint AS total FROM ledger_entry"
        )
        total: int = rows[0]["total"]
        return total

    async def latest_comparison(self) -> Comparison | None:
        rows = await self._database.fetch(
            "SELECT since, until, at, seen, differences FROM reconciliation ORDER BY id DESC LIMIT 1"
        )
        if not rows:
            return None
        row = rows[0]
        differences = msgspec.json.decode(row["differences"], type=tuple[Difference, ...])
        return Comparison(row["since"], row["until"], row["at"], row["seen"], differences)

    async def keep(self, comparison: Comparison) -> None:
        await self._database.fetch(
            "INSERT INTO reconciliation (since, until, at, seen, differences) VALUES ($1, $2, $3, $4, $5)",
            comparison.since,
            comparison.until,
            comparison.at,
            comparison.seen,
            msgspec.json.encode(comparison.differences).decode(),
        )

    async def booked_between(self, since: datetime, until: datetime) -> Mapping[str, BookedPayment]:
        rows = await self._database.fetch(
            """
            SELECT t.intent_id, t.order_id, -sum(e.amount)::bigint AS captured
            FROM payment p JOIN ledger_transaction t USING (order_id) JOIN ledger_entry e ON e.transaction_id = t.id
            WHERE p.created_at >= $1 AND p.created_at < $2 AND e.account = 'sales'
            GROUP BY t.intent_id, t.order_id
            """,
            since,
            until,
        )
        return {
            row["intent_id"]: BookedPayment(row["intent_id"], row["order_id"], row["captured"], 0)
            for row in rows
        }

    async def take_unfinished(self, before: datetime, now: datetime, limit: int) -> Sequence[UUID]:
        """Those that nobody has looked at since `before`, in the transaction at hand; replicas share them."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "UPDATE payment SET checked_at = $3 WHERE order_id IN (SELECT order_id FROM payment "  # noqa: S608
                f"WHERE checked_at < $2 AND ({_WAITING}) ORDER BY checked_at LIMIT $4 FOR UPDATE SKIP LOCKED) "
                "RETURNING order_id",
                _finished(),
                before,
                now,
                limit,
            )
        return [row["order_id"] for row in rows]

    async def comparison_due(self, before: datetime) -> bool:
        """Whether this replica is to compare now: only one does at a time, and none where one has since `before`."""
        rows = await self._database.fetch(
            "SELECT NOT EXISTS (SELECT FROM reconciliation WHERE at >= $1) AS due", before
        )
        return bool(rows[0]["due"])


def _finished() -> list[str]:
    return [state.value for state in FINISHED]
