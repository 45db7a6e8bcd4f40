"""Refunds in PostgreSQL. Database down: Unavailable, and nothing is changed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.chassis.postgres import Database
from services.order.application.ports import Refund
from services.order.domain.refunds import Plan, Refunded


class PostgresRefunds:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def before(self, order: UUID) -> Refunded:
        rows = await self._database.fetch(
            "SELECT coalesce(sum(amount), 0)::bigint AS amount, coalesce(bool_or(shipping), false) AS shipping "
            "FROM refund WHERE order_id = $1 AND state <> 'failed'",
            order,
        )
        units = await self._database.fetch(
            "SELECT position, sum(p.quantity)::bigint AS units FROM refund_part p JOIN refund r ON r.id = p.refund_id "
            "WHERE r.order_id = $1 AND r.state <> 'failed' GROUP BY position",
            order,
        )
        return Refunded(
            amount=rows[0]["amount"],
            units={row["position"]: row["units"] for row in units},
            shipping=rows[0]["shipping"],
        )

    async def add(
        self, id_: UUID, order: UUID, plan: Plan, reason: str, note: str, actor: str, now: datetime
    ) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO refund (id, order_id, amount, reason, note, shipping, actor, created_at, updated_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
                id_,
                order,
                plan.amount,
                reason,
                note,
                plan.shipping,
                actor,
                now,
            )
            await connection.executemany(
                "INSERT INTO refund_part (refund_id, position, quantity, amount) VALUES ($1, $2, $3, $4)",
                [(id_, part.position, part.quantity, part.amount) for part in plan.parts],
            )

    async def settle(self, id_: UUID, state: str, now: datetime) -> bool:
        async with self._database.transaction() as connection:
            settled = await connection.fetchval(
                "UPDATE refund SET state = $2, updated_at = $3 WHERE id = $1 AND state <> $2 "
                "AND (state IN ('asked', 'pending') AND ($2 <> 'pending' OR state = 'asked') "
                "OR state = 'done' AND $2 = 'failed') RETURNING true",
                id_,
                state,
                now,
            )
        return bool(settled)

    async def pending(self, order: UUID) -> Sequence[tuple[UUID, int, str]]:
        rows = await self._database.fetch(
            "SELECT id, amount, reason FROM refund WHERE order_id = $1 AND state = 'pending' ORDER BY created_at, id",
            order,
        )
        return [tuple(row) for row in rows]

    async def of(self, order: UUID) -> Sequence[Refund]:
        rows = await self._database.fetch(
            "SELECT id, amount, reason, note, state, shipping, actor, created_at FROM refund WHERE order_id = $1 "
            "ORDER BY created_at, id",
            order,
        )
        parts = defaultdict(list)
        for part in await self._database.fetch(
            "SELECT refund_id, position, quantity, amount FROM refund_part WHERE refund_id = ANY($1) "
            "ORDER BY refund_id, position",
            [row["id"] for row in rows],
        ):
            parts[part["refund_id"]].append((part["position"], part["quantity"], part["amount"]))
        return [Refund(**row, parts=tuple(parts[row["id"]])) for row in rows]
