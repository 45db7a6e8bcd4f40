"""Carts in PostgreSQL. Database down: Unavailable, and nothing is changed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.chassis.postgres import Database
from services.order.domain.carts import Cart, Item

KEPT = timedelta(days=90)
"""A cart that nobody has changed for so long is nobody's."""


_FIND = (
    "SELECT c.id, c.owner, c.version, c.updated_at, i.sku, i.quantity, i.seen_price "
    "FROM cart c LEFT JOIN cart_item i ON i.cart_id = c.id "
    "WHERE c.owner = $1 AND c.closed_at IS NULL ORDER BY i.position, i.sku"
)
"""One statement: a cart and its items of one moment."""
_ITEMS = """gone AS (
    DELETE FROM cart_item USING written WHERE cart_id = written.id AND sku <> ALL($4)
), items AS (
    INSERT INTO cart_item (cart_id, sku, position, quantity, seen_price)
    SELECT written.id, item.* FROM written, unnest($4::text[], $5::int[], $6::int[], $7::bigint[]) AS item
    ON CONFLICT (cart_id, sku) DO UPDATE
    SET position = excluded.position, quantity = excluded.quantity, seen_price = excluded.seen_price
)
SELECT id, version FROM written"""
"""Of the cart in `written`; they become exactly these."""
_WRITE = f"""
WITH written AS (
    INSERT INTO cart (id, owner, created_at, updated_at) VALUES ($1, $2, $3, $3)
    ON CONFLICT (owner) WHERE closed_at IS NULL
    DO UPDATE SET version = nextval('cart_version'), updated_at = excluded.updated_at
    RETURNING id, version
), {_ITEMS}
"""  # noqa: S608
_TURN = "turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('cart:' || $2::uuid, 0)))"
"""Of the owner, who may have no cart yet: whoever changes items has it."""
_FIRST = f"""
WITH {_TURN}, written AS (
    INSERT INTO cart (id, owner, created_at, updated_at) SELECT $1::uuid, $2::uuid, $3::timestamptz, $3 FROM turn
    ON CONFLICT (owner) WHERE closed_at IS NULL DO NOTHING
    RETURNING id, version
), {_ITEMS}
"""  # noqa: S608
_REPLACE = f"""
WITH {_TURN}, written AS (
    UPDATE cart SET version = nextval('cart_version'), updated_at = $3 FROM turn
    WHERE id = $1 AND version = $8 AND closed_at IS NULL
    RETURNING id, version
), {_ITEMS}
"""  # noqa: S608
"""By compare-and-set, which the row's latest version decides: a statement that waited may see old items, and a cart
that has them still has the version that was read with them."""


class PostgresCarts:
    def __init__(self, database: Database, new_id: Callable[[], UUID]) -> None:
        self._database = database
        self._new_id = new_id

    async def find(self, owner: UUID) -> Cart | None:
        rows = await self._database.fetch(_FIND, owner)
        return _cart(rows) if rows else None

    async def locked(self, owner: UUID) -> Cart | None:
        async with self._database.transaction() as connection:
            # Of the owner, who may have no cart yet.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"cart:{owner}")
            # Items change under this lock alone; what waits for the row here is a cart that is being closed.
            rows = await connection.fetch(f"{_FIND} FOR UPDATE OF c", owner)
        return _cart(rows) if rows else None

    async def write(self, owner: UUID, items: Sequence[Item], now: datetime) -> Cart:
        (row,) = await self._database.fetch(_WRITE, self._new_id(), owner, now, *_columns(items))
        return _written(row, owner, items, now)

    async def replace(
        self, owner: UUID, before: Cart | None, items: Sequence[Item], now: datetime
    ) -> Cart | None:
        if before is None:
            rows = await self._database.fetch(_FIRST, self._new_id(), owner, now, *_columns(items))
        else:
            rows = await self._database.fetch(
                _REPLACE, before.id, owner, now, *_columns(items), before.version
            )
        return _written(rows[0], owner, items, now) if rows else None

    async def close(self, cart: UUID, version: int, order: UUID | None, now: datetime) -> bool:
        async with self._database.transaction() as connection:
            closed = await connection.fetchval(
                "UPDATE cart SET closed_at = $3, updated_at = $3, order_id = $4 "
                "WHERE id = $1 AND version = $2 AND closed_at IS NULL RETURNING true",
                cart,
                version,
                now,
                order,
            )
        return bool(closed)

    async def ordered(self, owner: UUID, version: int) -> UUID | None:
        rows = await self._database.fetch(
            "SELECT order_id FROM cart WHERE owner = $1 AND version = $2 AND order_id IS NOT NULL",
            owner,
            version,
        )
        return rows[0]["order_id"] if rows else None

    async def forget(self, before: datetime, limit: int) -> int:
        """Deletes carts that nobody has changed since and that no order came of."""
        rows = await self._database.fetch(
            "DELETE FROM cart WHERE id IN (SELECT id FROM cart WHERE updated_at < $1 AND order_id IS NULL "
            "ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1",
            before,
            limit,
        )
        return len(rows)


def _columns(items: Sequence[Item]) -> tuple[list[Any], ...]:
    """SKUs, positions, quantities and prices."""
    return (
        [item.sku for item in items],
        list(range(len(items))),
        [item.quantity for item in items],
        [item.seen_price for item in items],
    )


def _written(row: Any, owner: UUID, items: Sequence[Item], now: datetime) -> Cart:
    return Cart(id=row["id"], owner=owner, version=row["version"], items=tuple(items), updated_at=now)


def _cart(rows: Sequence[Any]) -> Cart:
    first = rows[0]
    return Cart(
        id=first["id"],
        owner=first["owner"],
        version=first["version"],
        items=tuple(
            Item(row["sku"], row["quantity"], row["seen_price"]) for row in rows if row["sku"] is not None
        ),
        updated_at=first["updated_at"],
    )
