"""Writes the catalog into a file that `import` takes. One snapshot: nothing that changes meanwhile is half in it."""

import csv
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from services.catalog.adapters.categories_postgres import PostgresCategories
from services.catalog.adapters.interchange import (
    COLUMNS,
    CategoryRow,
    ProductRow,
    csv_rows,
    product_row,
)
from services.catalog.adapters.products_postgres import PostgresProducts
from services.catalog.domain.categories import Node, Tree
from services.catalog.domain.products import Product
from services.chassis.postgres import Database

BATCH = 500


class Exporter:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, path: Path) -> int:
        """Returns how many products were written. The file is there when it is whole, and not before."""
        unfinished = path.with_name(f".{path.name}.unfinished")
        async with self._database.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            tree = Tree(await PostgresCategories(self._database).all())
            write = self._csv if path.suffix == ".csv" else self._lines
            written = await write(unfinished, tree)
        unfinished.replace(path)
        return written

    async def _lines(self, path: Path, tree: Tree) -> int:
        written = 0
        with path.open("wb") as file:
            for row in _categories(tree.nodes()):
                file.write(msgspec.json.encode(row) + b"\n")
            async for product in self._products(tree):
                file.write(msgspec.json.encode(product) + b"\n")
                written += 1
        return written

    async def _csv(self, path: Path, tree: Tree) -> int:
        written = 0
        # With a byte order mark, without which Excel takes Korean for the system's own code page.
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            async for product in self._products(tree):
                writer.writerows(csv_rows(product))
                written += 1
        return written

    async def _products(self, tree: Tree) -> AsyncIterator[ProductRow]:
        store = PostgresProducts(self._database)
        after = None
        while found := await store.page(None, (), None, BATCH, after):
            on_hand = await self._on_hand(found)
            for product in found:
                category = tree.get(product.content.category)
                yield product_row(product, category.slug if category else "", on_hand)
            after = (found[-1].created_at, found[-1].id)

    async def _on_hand(self, products: Sequence[Product]) -> dict[UUID, int]:
        ids = [variant.id for product in products for variant in product.content.variants]
        rows = await self._database.fetch(
            "SELECT variant_id, on_hand FROM stock WHERE variant_id = ANY($1)", ids
        )
        return {row["variant_id"]: row["on_hand"] for row in rows}


def _categories(nodes: Sequence[Node], parent: str | None = None) -> list[CategoryRow]:
    """Parents before their children."""
    rows = []
    for node in nodes:
        category = node.category
        rows.append(CategoryRow(category.slug, dict(category.names), parent, category.position))
        rows.extend(_categories(node.children, category.slug))
    return rows
