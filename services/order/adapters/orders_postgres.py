"""Orders in PostgreSQL. Database down: Unavailable, and nothing is changed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.chassis.postgres import Database
from services.order.adapters import order_rows
from services.order.application.ports import (
    MOST_COUNTED,
    NewOrder,
    OrderQuery,
    OrderSort,
    Standing,
    Summary,
)
from services.order.domain.orders import Occurrence, Order, Payment, Shipment
from services.order.domain.states import FINAL, Reason, State
from services.order.domain.transitions import FIRST, Transition

ONE = "SELECT o.*, l.* FROM orders o LEFT JOIN order_line l ON l.order_id = o.id WHERE o.id = $1 ORDER BY l.position"
"""The order's columns beside each line: no name is in both tables."""
_ADD = """
WITH added AS (
    INSERT INTO orders (id, owner, guest, email, lang, cart_id, state, currency, items, shipping, tax, address,
        hold_until, placed_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) RETURNING *
), lines AS (
    INSERT INTO order_line (order_id, position, sku, variant_id, product_id, slug, names, option_names, image, quantity,
        unit_price, vat_rate, units, unit_taxes)
    SELECT $1, line.* FROM jsonb_to_recordset($15) AS line (position int, sku text, variant uuid, product uuid,
        slug text, names jsonb, option_names jsonb, image text, quantity int, unit_price bigint, vat_rate int,
        units bigint[], unit_taxes bigint[])
), event AS (
    INSERT INTO order_event (order_id, event, state, actor, note, at) VALUES ($1, $16, $17, $18, $19, $20)
)
SELECT * FROM added
"""
_MOVE = """
WITH moved AS (
    UPDATE orders SET state = $3, reason = coalesce($4, reason), version = version + 1, updated_at = $5
    WHERE id = $1 AND version = $2 RETURNING *
), event AS (
    INSERT INTO order_event (order_id, event, state, actor, note, at) SELECT id, $6, $7, $8, $9, $5 FROM moved
)
"""
_MOVE_ALONE = f"{_MOVE} SELECT true FROM moved"  # noqa: S608
_MOVED = f"{_MOVE} SELECT moved.*, l.* FROM moved LEFT JOIN order_line l ON l.order_id = moved.id ORDER BY l.position"  # noqa: S608
"""The order as ONE reads it."""
DUE = (
    "SELECT id FROM orders WHERE state IN ('placed', 'held', 'paying') AND hold_until <= $1 "
    "ORDER BY hold_until LIMIT $2"
)


PLACED = (
    "SELECT state, count(*) AS orders FROM orders WHERE placed_at >= $1 AND placed_at < $2 GROUP BY state"
)
OPEN_NUMBERS = (
    "SELECT state, (SELECT count(*) FROM (SELECT FROM orders WHERE orders.state = wanted.state LIMIT $2) AS counted) "
    "AS orders FROM unnest($1::text[]) AS wanted (state)"
)
UNSENT = "SELECT placed_at FROM orders WHERE state = 'paid' ORDER BY placed_at, id LIMIT 1"
NAMED = (
    "id IN (SELECT order_id FROM order_recipient WHERE recipient_pairs(name) @> recipient_pairs(recipient_name({0})) "
    "AND strpos(name, recipient_name({0})) > 0)"
)
"""The index finds names with the same pairs of characters; whether they stand in that order the name itself says."""
OPEN = tuple(state.value for state in State if state not in FINAL)


class PostgresOrders:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, order: NewOrder, occurrence: Occurrence) -> Order:
        (row,) = await self._database.fetch(
            _ADD,
            order.id,
            order.owner,
            order.guest,
            order.email,
            order.lang,
            order.cart,
            FIRST.state.value,
            order.currency,
            order.items,
            order.shipping,
            order.tax,
            msgspec.json.encode(order.address).decode(),
            order.hold_until,
            order.placed_at,
            msgspec.json.encode(order.lines).decode(),
            occurrence.event,
            occurrence.state,
            occurrence.actor,
            occurrence.note,
            occurrence.at,
        )
        return order_rows.placed(row, order.lines)

    async def get(self, id_: UUID) -> Order | None:
        return _one(await self._database.fetch(ONE, id_))

    async def page(self, query: OrderQuery) -> Sequence[Order]:
        sql, arguments = page_statement(query)
        return await self._with_lines(await self._database.fetch(sql, *arguments))

    async def changed_since(self, moment: datetime) -> Sequence[UUID]:
        """Reads every order: for a command, not for a request."""
        rows = await self._database.fetch("SELECT id FROM orders WHERE updated_at >= $1 ORDER BY id", moment)
        return [row["id"] for row in rows]

    async def unknown(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        rows = await self._database.fetch(
            "SELECT DISTINCT id FROM unnest($1::uuid[]) AS of (id) "
            "WHERE NOT EXISTS (SELECT FROM orders WHERE orders.id = of.id) ORDER BY id",
            list(ids),
        )
        return [row["id"] for row in rows]

    async def summary(self, since: datetime, before: datetime) -> Summary:
        placed = await self._database.fetch(PLACED, since, before)
        numbers = await self._database.fetch(OPEN_NUMBERS, list(OPEN), MOST_COUNTED)
        unsent = await self._database.fetch(UNSENT)
        return Summary(
            placed={row["state"]: row["orders"] for row in placed},
            open={row["state"]: row["orders"] for row in numbers if row["orders"]},
            unsent_since=unsent[0]["placed_at"] if unsent else None,
        )

    async def standing(self, id_: UUID) -> Standing | None:
        return _standing(
            await self._database.fetch("SELECT state, reason, version FROM orders WHERE id = $1", id_)
        )

    async def move(self, id_: UUID, version: int, transition: Transition, occurrence: Occurrence) -> bool:
        moved = await self._database.fetch(_MOVE_ALONE, id_, version, *_move_values(transition, occurrence))
        return bool(moved)

    async def moved(
        self, id_: UUID, version: int, transition: Transition, occurrence: Occurrence
    ) -> Order | None:
        return _one(await self._database.fetch(_MOVED, id_, version, *_move_values(transition, occurrence)))

    async def touch(self, id_: UUID, version: int, now: datetime) -> bool:
        async with self._database.transaction() as connection:
            touched = await connection.fetchval(
                "UPDATE orders SET version = version + 1, updated_at = $3 WHERE id = $1 AND version = $2 "
                "RETURNING true",
                id_,
                version,
                now,
            )
        return bool(touched)

    async def record(self, id_: UUID, occurrence: Occurrence) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO order_event (order_id, event, state, actor, note, at) VALUES ($1, $2, $3, $4, $5, $6)",
                id_,
                occurrence.event,
                occurrence.state,
                occurrence.actor,
                occurrence.note,
                occurrence.at,
            )

    async def timeline(self, id_: UUID) -> Sequence[Occurrence]:
        rows = await self._database.fetch(
            "SELECT at, event, state, actor, note FROM order_event WHERE order_id = $1 ORDER BY id", id_
        )
        return [Occurrence(**row) for row in rows]

    async def remember_payment(self, id_: UUID, payment: Payment, sequence: int) -> Standing | None:
        rows = await self._database.fetch(
            "UPDATE orders SET payment_state = $3, authorised = $4, captured = $5, refunded = $6, "
            "refund_pending = $7, payment_sequence = $2 WHERE id = $1 AND payment_sequence < $2 "
            "RETURNING state, reason, version",
            id_,
            sequence,
            payment.state,
            payment.authorised,
            payment.captured,
            payment.refunded,
            payment.refund_pending,
        )
        return _standing(rows)

    async def ship(self, id_: UUID, shipment: Shipment) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO shipment (order_id, carrier, tracking_number, at) VALUES ($1, $2, $3, $4)",
                id_,
                shipment.carrier,
                shipment.tracking_number,
                shipment.at,
            )

    async def correct_shipment(self, id_: UUID, carrier: str, tracking_number: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE shipment SET carrier = $2, tracking_number = $3 "
                "WHERE id = (SELECT max(id) FROM shipment WHERE order_id = $1)",
                id_,
                carrier,
                tracking_number,
            )

    async def shipments(self, id_: UUID) -> Sequence[Shipment]:
        rows = await self._database.fetch(
            "SELECT carrier, tracking_number, at FROM shipment WHERE order_id = $1 ORDER BY id", id_
        )
        return [Shipment(**row) for row in rows]

    async def due(self, now: datetime, limit: int) -> Sequence[UUID]:
        rows = await self._database.fetch(DUE, now, limit)
        return [row["id"] for row in rows]

    async def claim(self, email: str, owner: UUID, now: datetime) -> Sequence[UUID]:
        rows = await self._database.fetch(
            "UPDATE orders SET owner = $2, guest = false, version = version + 1, updated_at = $3 "
            "WHERE guest AND email = $1 RETURNING id",
            email,
            owner,
            now,
        )
        return [row["id"] for row in rows]

    async def opened_by(self, digest: bytes) -> UUID | None:
        rows = await self._database.fetch("SELECT order_id FROM order_link WHERE digest = $1", digest)
        return rows[0]["order_id"] if rows else None

    async def _with_lines(self, rows: Sequence[Any]) -> list[Order]:
        if not rows:
            return []
        lines = defaultdict(list)
        for line in await self._database.fetch(
            "SELECT * FROM order_line WHERE order_id = ANY($1) ORDER BY order_id, position",
            [row["id"] for row in rows],
        ):
            lines[line["order_id"]].append(line)
        return [order_rows.order(row, lines[row["id"]]) for row in rows]


def page_statement(query: OrderQuery) -> tuple[str, list[Any]]:
    """The list's SQL, for running it and for asking the planner about it."""
    arguments: list[Any] = [query.limit]
    sql = "SELECT * FROM orders WHERE true"

    def add(condition: str, *values: Any) -> None:
        nonlocal sql
        places = []
        for value in values:
            arguments.append(value)
            places.append(f"${len(arguments)}")
        sql += " AND " + condition.format(*places)

    if query.owner is not None:
        add("owner = {}", query.owner)
    if query.states:
        add("state = ANY({})", [state.value for state in query.states])
    if query.email is not None:
        add("email = {}", query.email)
    if query.number is not None:
        add("number = {}", query.number)
    if query.recipient is not None:
        add(NAMED, query.recipient)
    if query.placed_from is not None:
        add("placed_at >= {}", query.placed_from)
    if query.placed_before is not None:
        add("placed_at < {}", query.placed_before)
    beyond, way = (">", "") if query.sort is OrderSort.OLDEST else ("<", " DESC")
    if query.after is not None:
        add(f"(placed_at, id) {beyond} ({{}}, {{}})", *query.after)
    return f"{sql} ORDER BY placed_at{way}, id{way} LIMIT $1", arguments


def _one(rows: Sequence[Any]) -> Order | None:
    """The order of ONE's rows."""
    if not rows:
        return None
    return order_rows.order(rows[0], [row for row in rows if row["position"] is not None])


def _standing(rows: Sequence[Any]) -> Standing | None:
    if not rows:
        return None
    (row,) = rows
    return Standing(State(row["state"]), Reason(row["reason"]) if row["reason"] else None, row["version"])


def _move_values(transition: Transition, occurrence: Occurrence) -> tuple[Any, ...]:
    """Of _MOVE, from $3 on."""
    return (
        transition.state.value,
        transition.reason.value if transition.reason else None,
        occurrence.at,
        occurrence.event,
        occurrence.state,
        occurrence.actor,
        occurrence.note,
    )
