"""What the use cases need of the world outside."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from services.catalog.domain.products import Category, Image, Product, Status, Variant

Versions = frozenset[int] | None
"""The versions that the caller is ready to change; None is any."""


class Sort(Enum):
    """The orders in which products can be listed; each ends with the id, so that it is total."""

    NEWEST = "newest"
    PRICE_UP = "price"
    PRICE_DOWN = "-price"
    RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which of the products for sale. All words must be in a product's texts; prices are both inclusive."""

    words: tuple[str, ...] = ()
    min_price: int | None = None
    max_price: int | None = None
    in_stock: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """`categories` has the ids of a whole subtree, None is all. `after` is the sort value and the id of the last
    product of the page before."""

    filters: Filters
    categories: tuple[UUID, ...] | None = None
    sort: Sort = Sort.NEWEST
    limit: int = 20
    after: tuple[int | datetime, UUID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A product in a list. `available` is that of the variant of which there is most; `rank` is set in a search."""

    id: UUID
    slug: str
    brand: str
    category: UUID
    names: dict[str, str]
    price: int
    compare_at_price: int | None
    available: int
    image: Image | None
    created_at: datetime
    rank: int


@dataclass(frozen=True, slots=True)
class Suggested:
    slug: str
    names: dict[str, str]
    brand: str


@dataclass(frozen=True, slots=True)
class Count:
    """So many products of a category in a price band. `fits`: their prices are within the filter's bounds."""

    category: UUID
    band: int
    fits: bool
    products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A variant as it is sold now, whatever its product's status."""

    variant: Variant
    product: UUID
    slug: str
    names: dict[str, str]
    option_names: dict[str, str]
    image: str | None
    available: int
    for_sale: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A product with what can be sold of each variant."""

    product: Product
    available: dict[UUID, int]


class Shop(Protocol):
    """What anybody may read: products that are active and exist."""

    async def cards(self, query: ListQuery) -> Sequence[Card]:
        """At most `limit` cards, in the query's order."""

    async def counts(self, filters: Filters, bands: Sequence[int]) -> Sequence[Count]:
        """The products that the filters find, whatever their prices, by category and price band."""

    async def show(self, slug: str) -> Shown | None: ...

    async def suggestions(self, words: tuple[str, ...], limit: int) -> Sequence[Suggested]:
        """Products with all words in name or brand, those that begin with the first one before the others."""

    async def offers(self, skus: Sequence[str]) -> dict[str, Offer]:
        """By SKU, in one read; what is not there does not exist."""


class Products(Protocol):
    """The products that exist, whatever their status. Deleted ones are found by nothing here."""

    async def add(self, product: Product) -> None:
        """Raises SlugTaken, SkuTaken, and InvalidProduct for an unknown category."""

    async def get(self, id_: UUID) -> Product | None: ...

    async def find(self, slug: str) -> Product | None: ...

    async def page(
        self,
        status: Status | None,
        words: tuple[str, ...],
        categories: Sequence[UUID] | None,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> Sequence[Product]:
        """At most `limit` products, the newest first. `categories`: in one of these; None is any."""

    async def save(self, product: Product) -> bool:
        """Stores the next version; variants that are no longer there are deleted, which frees their SKUs.

        False where the stored version is not the one before it, or there is none. Raises as `add` does.
        """

    async def delete(self, id_: UUID, now: datetime, versions: Versions) -> bool:
        """Deletes it with its variants; stock and reservations stay. False as `save`."""


class Categories(Protocol):
    """The categories that exist."""

    async def all(self) -> Sequence[Category]: ...

    async def lock(self) -> None:
        """Until the transaction at hand ends, nobody else changes the tree."""

    async def add(self, category: Category) -> None:
        """Raises SlugTaken."""

    async def save(self, category: Category) -> bool:
        """Stores the next version. False where the stored version is not the one before it. Raises SlugTaken."""

    async def delete(self, id_: UUID, now: datetime, versions: Versions) -> bool:
        """Raises CategoryInUse. False where it does not exist or is at no given version."""


class UnitOfWork(Protocol):
    """Makes what happens inside one change: all of it is kept, or none."""

    def transaction(self) -> AbstractAsyncContextManager[Any]: ...
