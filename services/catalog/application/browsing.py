"""What visitors read again and again and what decides nothing: the tree of categories and the counts beside lists.

Both are remembered for some seconds, and simultaneous questions share one answer: counting 50,000 products costs more
than a list does.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from services.catalog.application.ports import Categories, Count, Filters, Shop
from services.catalog.domain.categories import Tree

KEPT = 512

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Summary:
    """Of a list: how many it holds; and how many each category and each price band holds without its own filter."""

    total: int
    categories: Mapping[UUID, int]
    bands: Mapping[int, int]


class Remembered(Generic[K, V]):
    """Answers to `ask`, each for `ttl` seconds by `clock`; at most KEPT of them. A failure is not remembered."""

    def __init__(
        self, ask: Callable[[K], Awaitable[V]], ttl: float, clock: Callable[[], float], kept: int = KEPT
    ) -> None:
        self._ask = ask
        self._ttl = ttl
        self._clock = clock
        self._kept = kept
        self._known: OrderedDict[K, tuple[float, asyncio.Future[V]]] = OrderedDict()

    async def of(self, key: K) -> V:
        known = self._known.get(key)
        if known is not None:
            until, answer = known
            if not answer.done():
                return await asyncio.shield(answer)
            if not answer.cancelled() and answer.exception() is None and self._clock() < until:
                return answer.result()
        answer = asyncio.ensure_future(self._ask(key))
        self._known[key] = (self._clock() + self._ttl, answer)
        self._known.move_to_end(key)
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        # Shielded: whoever asked first may go away while others wait.
        return await asyncio.shield(answer)

    def forget(self) -> None:
        self._known.clear()


@dataclass(slots=True)
class BrowsingService:
    """`bands` are the bounds of the price bands; `ttl` in seconds, `clock` gives seconds."""

    shop: Shop
    categories: Categories
    bands: Sequence[int]
    ttl: float
    clock: Callable[[], float]
    _trees: Remembered[None, Tree] = field(init=False)
    _counts: Remembered[Filters, Sequence[Count]] = field(init=False)
    _summaries: Remembered[tuple[Filters, tuple[UUID, ...] | None], Summary] = field(init=False)

    def __post_init__(self) -> None:
        self._trees = Remembered(self._read_tree, self.ttl, self.clock)
        self._counts = Remembered(self._count, self.ttl, self.clock)
        self._summaries = Remembered(self._summarise, self.ttl, self.clock)

    async def tree(self) -> Tree:
        return await self._trees.of(None)

    async def below(self, slug: str) -> tuple[UUID, ...] | None:
        """The ids of a category and of all below it; None where there is none, also since a moment ago."""
        tree = await self.tree()
        found = tree.find(slug)
        if found is None:
            self._trees.forget()  # it may be new
            tree = await self.tree()
            found = tree.find(slug)
        return None if found is None else tuple(tree.below(found.id))

    async def facets(self, filters: Filters, inside: tuple[UUID, ...] | None) -> Summary:
        return await self._summaries.of((filters, inside))

    async def _read_tree(self, _: None) -> Tree:
        return Tree(await self.categories.all())

    async def _count(self, filters: Filters) -> Sequence[Count]:
        return await self.shop.counts(filters, self.bands)

    async def _summarise(self, wanted: tuple[Filters, tuple[UUID, ...] | None]) -> Summary:
        filters, inside = wanted
        return summary(await self._counts.of(filters), await self.tree(), inside)


def summary(counts: Sequence[Count], tree: Tree, inside: Sequence[UUID] | None) -> Summary:
    """A category counts what is in it or below it. `inside`: the categories that the list is of, None for all."""
    here = None if inside is None else frozenset(inside)
    categories: dict[UUID, int] = {}
    bands: dict[int, int] = {}
    total = 0
    for count in counts:
        within = here is None or count.category in here
        if count.fits:
            for category in tree.path(count.category):
                categories[category.id] = categories.get(category.id, 0) + count.products
            total += count.products if within else 0
        if within:
            bands[count.band] = bands.get(count.band, 0) + count.products
    return Summary(total, categories, bands)
