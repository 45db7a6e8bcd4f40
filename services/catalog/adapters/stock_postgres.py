"""Stock in PostgreSQL. Database down: every call raises the chassis' Unavailable; what was not committed is undone.

Who comes first is decided by the row locks on `stock`, taken in the order of variant ids; the table's CHECK has the
last word. No call to anybody happens while they are held.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.catalog.adapters import cache_tags, product_rows
from services.catalog.application.stock import (
    Adjustment,
    Difference,
    Entry,
    Outcome,
    StockLevel,
    StockQuery,
    StockSort,
    StockTotals,
)
from services.catalog.domain.errors import BelowReserved, OtherLines, UnknownVariant
from services.catalog.domain.products import option_names
from services.catalog.domain.reservations import Effect, Goal, Line, Shortage, State, decide, shortages
from services.catalog.domain.stock import Stock, availability
from services.chassis.cache_tags import CacheTags
from services.chassis.postgres import Database

_CHANGES: Mapping[Effect, tuple[int, int]] = {
    # of on_hand and of reserved, for each unit
    Effect.RESERVE: (0, 1),
    Effect.SELL: (-1, -1),
    Effect.RESERVE_AND_SELL: (-1, 0),
    Effect.FREE: (0, -1),
    Effect.TAKE_BACK: (1, 0),
}
_TAKING = frozenset({Effect.RESERVE, Effect.RESERVE_AND_SELL})
_REASONS = {Effect.SELL: "sale", Effect.RESERVE_AND_SELL: "sale", Effect.TAKE_BACK: "return"}
_ACTOR = "order"


class _Change(NamedTuple):
    """What could be sold of a variant, and what can be now."""

    product: UUID
    before: int
    after: int


class PostgresStock:
    """`few_left`: so many units or fewer are shown as few left."""

    def __init__(self, database: Database, tags: CacheTags | None = None, *, few_left: int = 5) -> None:
        self._database = database
        self._tags = tags or CacheTags(database)
        self._few_left = few_left

    async def pursue(self, order: UUID, goal: Goal, lines: Sequence[Line], now: datetime) -> Outcome:
        async with self._database.transaction() as connection:
            # The order's row is what two messages of one order meet at: the second waits for the first's commit. Most
            # orders are heard of first when they want to hold.
            present = None if goal is Goal.HELD else await _present(connection, order, lines)
            state, effect = decide(present, goal)
            if present is None:
                if await _first_heard(connection, order, state, lines, now):
                    present = state
                else:
                    present = await _present(connection, order, lines)
                    state, effect = decide(present, goal)
            short: list[Shortage] = []
            if effect in _TAKING:
                short = shortages(lines, await _locked(connection, lines))
                if short:
                    state, effect = State.SOLD_OUT, Effect.NONE
            elif effect is not Effect.NONE:
                await _locked(connection, lines)
            if effect is not Effect.NONE:
                await self._shown_otherwise(await _apply(connection, order, state, effect, lines, now))
            elif state is not present:
                await connection.execute(
                    "UPDATE reservation SET state = $2, updated_at = $3 WHERE order_id = $1",
                    order,
                    state.value,
                    now,
                )
        return Outcome(state, tuple(short))

    async def taking_since(self, moment: datetime) -> Sequence[tuple[UUID, State]]:
        """Orders whose stock is held or sold, of those that were changed since then. Reads every reservation."""
        rows = await self._database.fetch(
            "SELECT order_id, state FROM reservation WHERE updated_at >= $1 AND state IN ('held', 'committed') "
            "ORDER BY order_id",
            moment,
        )
        return [(row["order_id"], State(row["state"])) for row in rows]

    async def lines_of(self, order: UUID) -> Sequence[Line]:
        """Of its reservation, in the order of variant ids; nothing where it has none."""
        rows = await self._database.fetch(
            "SELECT variant_id, quantity FROM reservation_line WHERE order_id = $1 ORDER BY variant_id", order
        )
        return [Line(row["variant_id"], row["quantity"]) for row in rows]

    async def adjust(self, variant: UUID, adjustment: Adjustment, now: datetime) -> Stock:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "SELECT on_hand, reserved FROM stock WHERE variant_id = $1 FOR UPDATE", variant
            )
            if row is None:
                raise UnknownVariant
            change = adjustment.change
            if adjustment.counted is not None:
                change = adjustment.counted - row["on_hand"]
            after = Stock(row["on_hand"] + change, row["reserved"])
            if change == 0:
                return after
            if after.available < 0:
                raise BelowReserved(after.reserved)
            await connection.execute(
                "UPDATE stock SET on_hand = $2 WHERE variant_id = $1", variant, after.on_hand
            )
            await connection.execute(
                "INSERT INTO stock_journal (variant_id, change, on_hand, reason, note, actor, at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                variant,
                change,
                after.on_hand,
                adjustment.reason,
                adjustment.note,
                adjustment.actor,
                now,
            )
            shown = _Change(
                await connection.fetchval("SELECT product_id FROM variant WHERE id = $1", variant),
                row["on_hand"] - row["reserved"],
                after.available,
            )
            await self._shown_otherwise([shown])
        return after

    async def _shown_otherwise(self, changes: Sequence["_Change"]) -> None:
        """Tells the cache, where a shopper is told something else now than before."""
        tags = cache_tags.of_stock(
            (change.product, availability(change.before, few), availability(change.after, few))
            for few in (self._few_left,)
            for change in changes
        )
        if tags:
            await self._tags.moved(tags)

    async def locked_on_hand(self, variant: UUID) -> int:
        """Stays so until the transaction at hand ends."""
        async with self._database.transaction() as connection:
            on_hand: int | None = await connection.fetchval(
                "SELECT on_hand FROM stock WHERE variant_id = $1 FOR UPDATE", variant
            )
        if on_hand is None:
            raise UnknownVariant
        return on_hand

    async def level(self, sku: str) -> StockLevel | None:
        rows = await self._database.fetch(f"{_LEVELS} AND v.sku = $1", sku)
        return _level(rows[0]) if rows else None

    async def levels(self, query: StockQuery) -> Sequence[StockLevel]:
        sql, arguments = levels_statement(query)
        return [_level(row) for row in await self._database.fetch(sql, *arguments)]

    async def totals(self, products: Sequence[UUID]) -> dict[UUID, StockTotals]:
        rows = await self._database.fetch(TOTALS, list(products), self._few_left)
        return {
            row["product_id"]: StockTotals(int(row["available"]), row["sold_out"], row["few_left"])
            for row in rows
        }

    async def journal(self, variant: UUID | None, limit: int, before: int | None) -> Sequence[Entry]:
        sql, arguments = journal_statement(variant, limit, before)
        return [_entry(row) for row in await self._database.fetch(sql, *arguments)]

    async def differences(self) -> Sequence[Difference]:
        # One statement, so that all of it is of one moment.
        rows = await self._database.fetch(
            """
            SELECT s.variant_id, v.sku, s.on_hand, s.reserved, coalesce(j.on_hand, 0) AS proven_on_hand,
                coalesce(r.reserved, 0) AS proven_reserved
            FROM stock s
            JOIN variant v ON v.id = s.variant_id
            LEFT JOIN (
                SELECT variant_id, sum(change)::bigint AS on_hand FROM stock_journal GROUP BY 1
            ) j USING (variant_id)
            LEFT JOIN (
                SELECT variant_id, sum(quantity)::bigint AS reserved
                FROM reservation_line JOIN reservation USING (order_id) WHERE state = 'held' GROUP BY 1
            ) r USING (variant_id)
            WHERE (s.on_hand, s.reserved) IS DISTINCT FROM (coalesce(j.on_hand, 0), coalesce(r.reserved, 0))
            ORDER BY v.sku
            """
        )
        return [
            Difference(
                row["variant_id"],
                row["sku"],
                Stock(row["on_hand"], row["reserved"]),
                Stock(row["proven_on_hand"], row["proven_reserved"]),
            )
            for row in rows
        ]


_LEVELS = """
    SELECT v.id, v.sku, v.product_id, v.option_values, v.active AND p.status = 'active' AS for_sale, p.slug, p.names,
        p.options, s.on_hand, s.reserved
    FROM variant v JOIN product p ON p.id = v.product_id JOIN stock s ON s.variant_id = v.id
    WHERE v.deleted_at IS NULL
"""
TOTALS = """
    SELECT v.product_id, sum(s.available) AS available, count(*) FILTER (WHERE s.available <= 0) AS sold_out,
        count(*) FILTER (WHERE s.available BETWEEN 1 AND $2) AS few_left
    FROM variant v JOIN stock s ON s.variant_id = v.id
    WHERE v.product_id = ANY($1) AND v.deleted_at IS NULL AND v.active GROUP BY v.product_id
"""


def levels_statement(query: StockQuery) -> tuple[str, list[Any]]:
    """The list's SQL, for running it and for asking the planner about it."""
    arguments: list[Any] = []

    def add(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    sql = _LEVELS
    by_sku = query.sort is StockSort.SKU
    start = query.prefix
    if query.after is not None and by_sku:
        sql += f" AND v.sku > {add(query.after[1])}"
        start = max(start, query.after[1])
    elif query.after is not None:
        sql += f" AND (s.available, v.sku) > ({add(query.after[0])}::bigint, {add(query.after[1])})"
    if query.prefix or by_sku:
        # SKUs are ASCII and sorted by code point: what begins with the prefix lies between it and the prefix with the
        # character after "z" and "~".
        end = query.prefix + "\x7f"
        sql += f" AND v.sku >= {add(start)} AND v.sku < {add(end)}"
    if query.product is not None:
        sql += f" AND v.product_id = {add(query.product)}"
    if query.at_most is not None:
        sql += f" AND s.available <= {add(query.at_most)}"
    if query.for_sale:
        sql += " AND v.active AND p.deleted_at IS NULL AND p.status = 'active'"
    order = "v.sku" if by_sku else "s.available, v.sku"
    return f"{sql} ORDER BY {order} LIMIT {add(query.limit)}", arguments


def journal_statement(variant: UUID | None, limit: int, before: int | None) -> tuple[str, list[Any]]:
    """The journal's SQL, for running it and for asking the planner about it."""
    arguments: list[Any] = [2**63 - 1 if before is None else before, limit]
    sql = (
        "SELECT j.id, j.variant_id, v.sku, j.change, j.on_hand, j.reason, j.note, j.actor, j.order_id, j.at "
        "FROM stock_journal j JOIN variant v ON v.id = j.variant_id WHERE j.id < $1"
    )
    if variant is not None:
        arguments.append(variant)
        sql += " AND j.variant_id = $3"
    return f"{sql} ORDER BY j.id DESC LIMIT $2", arguments


def _level(row: Any) -> StockLevel:
    names = product_rows.names(row["names"])
    options = product_rows.options(row["options"])
    return StockLevel(
        row["id"],
        row["sku"],
        row["product_id"],
        row["slug"],
        names,
        option_names(options, row["option_values"], names),
        row["for_sale"],
        Stock(row["on_hand"], row["reserved"]),
    )


def _entry(row: Any) -> Entry:
    return Entry(
        row["id"],
        row["variant_id"],
        row["sku"],
        row["change"],
        row["on_hand"],
        row["reason"],
        row["note"],
        row["actor"],
        row["order_id"],
        row["at"],
    )


async def _first_heard(
    connection: asyncpg.Connection, order: UUID, state: State, lines: Sequence[Line], now: datetime
) -> bool:
    """Makes the reservation with its lines; False where there is one already."""
    made = await connection.fetchval(
        """
        WITH made AS (
            INSERT INTO reservation (order_id, state, created_at, updated_at) VALUES ($1, $2, $3, $3)
            ON CONFLICT (order_id) DO NOTHING RETURNING order_id
        ), lines AS (
            INSERT INTO reservation_line (order_id, variant_id, quantity)
            SELECT made.order_id, line.variant_id, line.quantity
            FROM made CROSS JOIN unnest($4::uuid[], $5::bigint[]) AS line (variant_id, quantity)
        )
        SELECT true FROM made
        """,
        order,
        state.value,
        now,
        [line.variant for line in lines],
        [line.quantity for line in lines],
    )
    return made is True


async def _present(connection: asyncpg.Connection, order: UUID, lines: Sequence[Line]) -> State | None:
    """The state of the reservation, locked; None where there is none. Raises OtherLines."""
    rows = await connection.fetch(
        # Its lines are as old as itself and never change, so that whoever waits for it sees them all the same.
        "SELECT state, variant_id, quantity FROM reservation JOIN reservation_line USING (order_id) "
        "WHERE order_id = $1 ORDER BY variant_id FOR UPDATE OF reservation",
        order,
    )
    if not rows:
        return None
    if [(row["variant_id"], row["quantity"]) for row in rows] != [
        (line.variant, line.quantity) for line in lines
    ]:
        raise OtherLines
    return State(rows[0]["state"])


async def _locked(connection: asyncpg.Connection, lines: Sequence[Line]) -> dict[UUID, Stock]:
    rows = await connection.fetch(
        "SELECT variant_id, on_hand, reserved FROM stock WHERE variant_id = ANY($1) ORDER BY variant_id FOR UPDATE",
        [line.variant for line in lines],
    )
    return {row["variant_id"]: Stock(row["on_hand"], row["reserved"]) for row in rows}


async def _apply(
    connection: asyncpg.Connection,
    order: UUID,
    state: State,
    effect: Effect,
    lines: Sequence[Line],
    now: datetime,
) -> list["_Change"]:
    """Of the reservation, whose state it is then."""
    of_on_hand, of_reserved = _CHANGES[effect]
    rows = await connection.fetch(
        """
        WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS line (variant_id, quantity)),
        changed AS (
            UPDATE stock SET on_hand = on_hand + $3::bigint * quantity,
                reserved = reserved + $4::bigint * quantity
            FROM wanted WHERE stock.variant_id = wanted.variant_id
            RETURNING stock.variant_id, quantity, on_hand, available
        ), journal AS (
            INSERT INTO stock_journal (variant_id, change, on_hand, reason, actor, order_id, at)
            SELECT variant_id, $3::bigint * quantity, on_hand, $5, $6, $7, $8 FROM changed WHERE $3::bigint <> 0
        ), settled AS (
            UPDATE reservation SET state = $9, updated_at = $8 WHERE order_id = $7 AND state <> $9
        )
        SELECT variant.product_id, changed.quantity, changed.available
        FROM changed JOIN variant ON variant.id = changed.variant_id
        """,
        [line.variant for line in lines],
        [line.quantity for line in lines],
        of_on_hand,
        of_reserved,
        _REASONS.get(effect, ""),
        _ACTOR,
        order,
        now,
        state.value,
    )
    return [
        _Change(
            row["product_id"],
            row["available"] - (of_on_hand - of_reserved) * row["quantity"],
            row["available"],
        )
        for row in rows
    ]
