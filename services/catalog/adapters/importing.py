"""Brings the catalog to what a file says.

Each product is one transaction: all of it is stored, or nothing, and the row is named. Repeating changes nothing, so an
import that was interrupted is begun again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from services.catalog.adapters.categories_postgres import PostgresCategories
from services.catalog.adapters.interchange import CategoryRow, ProductRow, Read, read
from services.catalog.adapters.products_postgres import PostgresProducts
from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.application.products import CategoryService, ProductService
from services.catalog.application.stock import Adjustment
from services.catalog.domain import values
from services.catalog.domain.categories import Tree
from services.catalog.domain.errors import BelowReserved, CatalogError, InvalidProduct
from services.catalog.domain.products import Content, Product
from services.catalog.domain.reservations import MAX_ADJUSTMENT
from services.chassis.postgres import Database

ACTOR = "import"

Outcome = Literal["made", "changed", "same"]


@dataclass(slots=True)
class Report:
    made: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0

    def count(self, outcome: "Outcome") -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)


class _Refused(Exception):  # noqa: N818
    """The text says why, with the line."""


class Importer:
    """`currency` is the store's. `refuse` is told each row that is not taken, by its line and why; `done` each row
    that is done with."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        currency: str,
        refuse: Callable[[int, str], None],
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._currency = currency
        self._refuse = refuse
        self._done = done
        self._store = PostgresProducts(database)
        self._products = ProductService(self._store, database, clock, uuid4, currency)
        self._categories = CategoryService(PostgresCategories(database), database, clock, uuid4)
        self._stock = PostgresStock(database)
        self._tree = Tree(())

    async def run(self, path: Path) -> Report:
        """Raises Unavailable where the database goes away; what was done until then stays."""
        report = Report()
        self._tree = await self._categories.tree()
        for found in read(path):
            try:
                report.count(await self._take(found))
            except (CatalogError, _Refused) as fault:
                report.refused += 1
                for line, text in _named(found, fault):
                    self._refuse(line, text)
            self._done()
        return report

    async def _take(self, found: Read) -> Outcome:
        match found.row:
            case ProductRow():
                return await self._product(found, found.row)
            case CategoryRow():
                return await self._category(found.row)
            case None:
                raise _Refused(found.fault)

    async def _category(self, row: CategoryRow) -> Outcome:
        parent = self._tree.find(row.parent) if row.parent else None
        if row.parent and parent is None:
            raise _Refused(f"parent: there is no category {row.parent}")
        parent_id = parent.id if parent else None
        present = self._tree.find(row.slug)
        if present is None:
            await self._categories.create(row.slug, row.names, parent_id, row.position)
            outcome: Outcome = "made"
        else:
            wanted = replace(present, names=row.names, parent=parent_id, position=row.position)
            if wanted == present:
                return "same"
            await self._categories.change(present.id, None, lambda _: wanted)
            outcome = "changed"
        self._tree = await self._categories.tree()
        return outcome

    async def _product(self, found: Read, row: ProductRow) -> Outcome:
        category = self._tree.find(row.category)
        if category is None:
            raise _Refused(f"category: there is no category {row.category}")
        async with self._database.transaction():
            present = await self._store.find(row.slug)
            kept = present.content if present else None
            content = values.content(row.content(category.id), self._currency, kept)
            outcome: Outcome = "same"
            if present is None:
                product = await self._products.create(content)
                outcome = "made"
            elif not _same(present.content, content):
                product = await self._products.change(present.id, None, lambda _: content)
                outcome = "changed"
            else:
                product = present
            if await self._count(found, row, product) and outcome == "same":
                outcome = "changed"
        return outcome

    async def _count(self, found: Read, row: ProductRow, product: Product) -> bool:
        """Sets what is on hand where the file says it, in the order in which all transactions lock stock."""
        ids = {variant.sku: variant.id for variant in product.content.variants}
        counted = sorted(
            (ids[variant.sku], variant.on_hand, line)
            for variant, line in zip(row.variants, found.lines, strict=True)
            if variant.on_hand is not None
        )
        moved = False
        for variant, on_hand, line in counted:
            if not 0 <= on_hand <= MAX_ADJUSTMENT:
                raise _Refused(f"on_hand: must be between 0 and {MAX_ADJUSTMENT} (line {line})")
            change = on_hand - await self._stock.locked_on_hand(variant)
            if change:
                try:
                    await self._stock.adjust(variant, Adjustment(change, "count", "", ACTOR), self._clock())
                except BelowReserved as fault:
                    raise _Refused(f"on_hand: {fault} (line {line})") from fault
                moved = True
        return moved


def _same(present: Content, wanted: Content) -> bool:
    """But for the ids, which files do not have."""
    ids = {variant.sku: variant.id for variant in present.variants}
    variants = tuple(replace(variant, id=ids.get(variant.sku, variant.id)) for variant in wanted.variants)
    return present == replace(wanted, variants=variants)


def _named(found: Read, fault: Exception) -> list[tuple[int, str]]:
    """What is wrong, with the line that it is in."""
    if not isinstance(fault, InvalidProduct):
        return [(found.line, str(fault))]
    named = []
    for path, value in fault.faults.items():
        line = found.line
        kind, _, rest = path.partition(".")
        index = rest.partition(".")[0]
        if kind == "variants" and index.isdigit() and int(index) < len(found.lines):
            line = found.lines[int(index)]
        named.append((line, f"{path} {value}"))
    return named
