"""Variants with stock, for tests of what becomes of it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.application.stock import Adjustment
from services.catalog.domain.stock import Stock
from services.chassis.postgres import Database

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


class Shelves:
    def __init__(self, database: Database, stock: PostgresStock) -> None:
        self._database = database
        self._stock = stock

    async def variant(self, on_hand: int) -> UUID:
        """A new variant of a product of its own, with so many on hand, put there by the journal."""
        category, product, variant = uuid4(), uuid4(), uuid4()
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO category (id, slug, names, created_at, updated_at) VALUES ($1, $2, '{}', $3, $3)",
                category, f"category-{category}", NOW,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO product (id, category_id, slug, status, names, price, created_at, updated_at) "
                "VALUES ($1, $2, $3, 'active', '{}', 1000, $4, $4)",
                product, category, f"product-{product}", NOW,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO variant (id, product_id, sku, price) VALUES ($1, $2, $3, 1000)",
                variant, product, f"SKU-{variant}",
            )  # fmt: skip
            await connection.execute("INSERT INTO stock (variant_id) VALUES ($1)", variant)
        if on_hand:
            await self._stock.adjust(variant, Adjustment(on_hand, "delivery", "", "tests"), NOW)
        return variant

    async def of(self, variant: UUID) -> Stock:
        (row,) = await self._database.fetch(
            "SELECT on_hand, reserved FROM stock WHERE variant_id = $1", variant
        )
        return Stock(row["on_hand"], row["reserved"])
