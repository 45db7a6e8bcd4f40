"""Lists, sums and comparisons over all payments."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from services.chassis.postgres import Database
from services.payment.application.ports import BookedPayment
from services.payment.application.reconciliation import Comparison, Difference
from services.payment.application.reporting import Line, Revenue
from services.payment.domain.payments import State

_LINES = (
    "SELECT order_id, reference, state, amount, currency, captured, created_at, updated_at, "
    "(SELECT coalesce(sum(amount), 0)::bigint FROM refund "
    "WHERE refund.order_id = payment.order_id AND refund.state = 'done') AS refunded FROM payment"
)
_UNFINISHED = "state NOT IN ('captured', 'voided', 'failed', 'refunded')"
"""As the index has it, word for word: else the planner reads every payment that ever was."""
OLDEST_UNFINISHED = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(updated_at)), 0)::float8 AS age FROM payment "  # noqa: S608
    # Those that wait for the shopper, or for the order's word, are not late.
    f"WHERE {_UNFINISHED} AND state IN ('new', 'capturing', 'voiding', 'refunding')"
)
UNFINISHED = f"SELECT state, count(*) AS count FROM payment WHERE {_UNFINISHED} GROUP BY state"  # noqa: S608
OLDEST_REFUND = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS age FROM refund "
    "WHERE state = 'pending'"
)
REVENUE = (
    "SELECT currency, coalesce(-sum(amount) FILTER (WHERE account = 'sales'), 0)::bigint AS captured, "
    "coalesce(sum(amount) FILTER (WHERE account = 'refunds'), 0)::bigint AS refunded, "
    "coalesce(sum(amount) FILTER (WHERE account = 'disputes'), 0)::bigint AS disputed "
    # OFFSET 0: entries by the transactions of the interval, and never all entries against them.
    "FROM ledger_transaction, LATERAL (SELECT account, amount FROM ledger_entry WHERE transaction_id = id OFFSET 0) "
    "AS entry WHERE at >= $1 AND at < $2 "
    "GROUP BY currency ORDER BY currency"
)
MOVED = (
    "SELECT movement, currency, sum(amount)::bigint AS moved FROM ledger_transaction, "
    "LATERAL (SELECT amount FROM ledger_entry WHERE transaction_id = id AND amount > 0 OFFSET 0) AS entry "
    "WHERE at >= $1 GROUP BY movement, currency"
)
_IS_DUE = (
    "payment.checked_at + "
    "least($1::interval, greatest($2::interval, payment.checked_at - payment.created_at)) < $3"
)
DUE = (
    "SELECT order_id FROM payment WHERE order_id IN ("  # noqa: S608
    f"(SELECT order_id FROM payment WHERE {_UNFINISHED} AND {_IS_DUE} ORDER BY checked_at LIMIT $4) UNION ALL "
    "(SELECT payment.order_id FROM refund JOIN payment USING (order_id) "
    f"WHERE refund.state = 'pending' AND {_IS_DUE} LIMIT $4)) "
    "LIMIT $4 FOR UPDATE SKIP LOCKED"
)
"""Each of the two is found by its own index."""


def list_statement(
    state: State | None, limit: int, after: tuple[datetime, UUID] | None
) -> tuple[str, list[object]]:
    """The list's SQL, for running it and for asking the planner about it."""
    arguments: list[object] = [limit]
    conditions = ["true"]
    if state is not None:
        arguments.append(state.value)
        conditions.append(f"state = ${len(arguments)}")
    if after is not None:
        arguments += after
        conditions.append(f"(created_at, order_id) < (${len(arguments) - 1}, ${len(arguments)})")
    return (
        f"{_LINES} WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, order_id DESC LIMIT $1",
        arguments,
    )


class PostgresReports:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(
        self, state: State | None, limit: int, after: tuple[datetime, UUID] | None
    ) -> Sequence[Line]:
        sql, arguments = list_statement(state, limit, after)
        rows = await self._database.fetch(sql, *arguments)
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

    async def changed_since(self, moment: datetime) -> Sequence[tuple[UUID, State]]:
        """Reads every payment: for a command, not for a request."""
        rows = await self._database.fetch(
            "SELECT order_id, state FROM payment WHERE updated_at >= $1 ORDER BY order_id", moment
        )
        return [(row["order_id"], State(row["state"])) for row in rows]

    async def unfinished(self) -> Mapping[State, int]:
        rows = await self._database.fetch(UNFINISHED)
        return {State(row["state"]): row["count"] for row in rows}

    async def oldest_unfinished(self) -> float:
        rows = await self._database.fetch(OLDEST_UNFINISHED)
        age: float = rows[0]["age"]
        return age

    async def oldest_refund(self) -> float:
        rows = await self._database.fetch(OLDEST_REFUND)
        age: float = rows[0]["age"]
        return age

    async def open_disputes(self) -> int:
        rows = await self._database.fetch(
            "SELECT count(*) AS open FROM dispute WHERE status NOT IN ('won', 'lost', 'prevented', 'warning_closed')"
        )
        count: int = rows[0]["open"]
        return count

    async def ledger_sum(self) -> int:
        rows = await self._database.fetch(
            "SELECT coalesce(sum(amount), 0)::bigint AS total FROM ledger_entry"
        )
        total: int = rows[0]["total"]
        return total

    async def moved_since(self, since: datetime) -> Mapping[tuple[str, str], int]:
        """Minor units by movement and currency."""
        rows = await self._database.fetch(MOVED, since)
        return {(row["movement"], row["currency"]): row["moved"] for row in rows}

    async def revenue(self, since: datetime, before: datetime) -> Sequence[Revenue]:
        rows = await self._database.fetch(REVENUE, since, before)
        return [Revenue(row["currency"], row["captured"], row["refunded"], row["disputed"]) for row in rows]

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
            SELECT t.intent_id, t.order_id, p.amount, -sum(e.amount)::bigint AS captured
            FROM payment p JOIN ledger_transaction t USING (order_id) JOIN ledger_entry e ON e.transaction_id = t.id
            WHERE p.created_at >= $1 AND t.at < $2 AND e.account = 'sales'
            GROUP BY t.intent_id, t.order_id, p.amount
            """,
            since,
            until,
        )
        return {
            row["intent_id"]: BookedPayment(
                row["intent_id"], row["order_id"], row["captured"], 0, row["amount"]
            )
            for row in rows
        }

    async def take_unfinished(
        self, now: datetime, limit: int, *, first: timedelta, every: timedelta
    ) -> Sequence[UUID]:
        """Those that are due to be looked at, in the transaction at hand; replicas share them.

        One is due `first` after its creation, then always when it is twice as old, and at least `every` so often: news
        that were lost are found soon, and a page that was left alone costs few questions.
        """
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"UPDATE payment SET checked_at = $3 WHERE order_id IN ({DUE}) RETURNING order_id",  # noqa: S608
                every,
                first,
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
