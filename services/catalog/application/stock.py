"""The use cases of stock: what orders want of it, and what a person corrects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from services.catalog.domain.errors import UnknownVariant
from services.catalog.domain.reservations import Goal, Line, Shortage, State, combined
from services.catalog.domain.stock import Stock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order's wish. `short` is filled where the state is SOLD_OUT and this call found it out."""

    state: State
    short: tuple[Shortage, ...] = ()


@dataclass(frozen=True, slots=True)
class Adjustment:
    """`change` units come in (above zero) or go (below). `actor` is the administrator's account. `counted`: so many are
    there, and the change follows from what was believed."""

    change: int
    reason: str
    note: str
    actor: str
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class StockLevel:
    """How much there is of a variant, with what it is of. `for_sale`: its product is active, and so is it."""

    variant: UUID
    sku: str
    product: UUID
    slug: str
    names: dict[str, str]
    option_names: dict[str, str]
    for_sale: bool
    stock: Stock


class StockSort(Enum):
    """The orders in which stock can be listed; each ends with the SKU, so that it is total."""

    SKU = "sku"
    AVAILABLE = "available"
    """What runs out first. No index knows it: one would make each reservation's update several times dearer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockQuery:
    """`prefix`: how the SKU begins; `at_most`: only where so few are available; `after`: what is available and the SKU
    of the last row of the page before."""

    prefix: str = ""
    product: UUID | None = None
    at_most: int | None = None
    for_sale: bool = False
    sort: StockSort = StockSort.SKU
    limit: int = 20
    after: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class StockTotals:
    """Of a product's variants that are for sale when it is: units available of all, and of how many variants there are
    none or few left."""

    available: int = 0
    sold_out: int = 0
    few_left: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal; `on_hand` is what there was after it."""

    id: int
    variant: UUID
    sku: str
    change: int
    on_hand: int
    reason: str
    note: str
    actor: str
    order: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a variant's stock is not what journal and reservations add up to."""

    variant: UUID
    sku: str
    stock: Stock
    proven: Stock


class StockStore(Protocol):
    """Stock, reservations and the journal, changed together. Each call is one transaction, or joins the one at hand.

    All lock a variant's stock before they decide, in the order of variant ids, so that no two wait for each other.
    """

    async def pursue(self, order: UUID, goal: Goal, lines: Sequence[Line], now: datetime) -> Outcome:
        """Brings the order's reservation to `goal` where the domain's table allows it; repeating is harmless.

        `lines` are combined (one a variant, sorted). Raises OtherLines where the reservation was made for others.
        """

    async def adjust(self, variant: UUID, adjustment: Adjustment, now: datetime) -> Stock:
        """Raises UnknownVariant, and BelowReserved where less would be on hand than is promised."""

    async def level(self, sku: str) -> StockLevel | None:
        """Of the variant that has the SKU now."""

    async def levels(self, query: StockQuery) -> Sequence[StockLevel]:
        """At most `limit`, in the query's order."""

    async def totals(self, products: Sequence[UUID]) -> dict[UUID, StockTotals]:
        """By product; what has no active variant is left out."""

    async def journal(self, variant: UUID | None, limit: int, before: int | None) -> Sequence[Entry]:
        """At most `limit` lines, the latest first, before the line with that id."""

    async def differences(self) -> Sequence[Difference]:
        """Each variant whose stock is not the sum of its journal, and of its held reservations; none is right."""


@dataclass(frozen=True, slots=True)
class StockService:
    store: StockStore
    clock: Callable[[], datetime]

    async def pursue(self, order: UUID, goal: Goal, lines: Sequence[Line]) -> Outcome:
        """Raises InvalidLines, OtherLines."""
        return await self.store.pursue(order, goal, combined(lines), self.clock())

    async def adjust(self, sku: str, adjustment: Adjustment) -> StockLevel:
        """Raises UnknownVariant, BelowReserved."""
        level = await self.store.level(sku)
        if level is None:
            raise UnknownVariant
        return replace(level, stock=await self.store.adjust(level.variant, adjustment, self.clock()))

    async def levels(self, query: StockQuery) -> Sequence[StockLevel]:
        return await self.store.levels(query)

    async def totals(self, products: Sequence[UUID]) -> dict[UUID, StockTotals]:
        return await self.store.totals(products)

    async def journal(self, variant: UUID | None, limit: int, before: int | None) -> Sequence[Entry]:
        return await self.store.journal(variant, limit, before)
