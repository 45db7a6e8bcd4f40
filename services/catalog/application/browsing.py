"""The use cases of a visitor: lists with their facets, a product's page, suggestions, and what an order would cost."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.catalog.application.ports import Count, Filters, Shop

FACETS_KEPT = 512


@dataclass(slots=True)
class FacetCounts:
    """The counts beside a list, each remembered for `ttl` seconds: they inform and decide nothing, and counting 50,000
    products costs more than the list itself. Simultaneous questions share one answer. `clock` gives seconds.
    """

    shop: Shop
    bands: Sequence[int]
    ttl: float
    clock: Callable[[], float]
    _known: "OrderedDict[Filters, tuple[float, asyncio.Future[Sequence[Count]]]]" = field(
        default_factory=OrderedDict
    )

    async def of(self, filters: Filters) -> Sequence[Count]:
        known = self._known.get(filters)
        if known is not None and (not known[1].done() or self.clock() < known[0]):
            return await asyncio.shield(known[1])
        future: asyncio.Future[Sequence[Count]] = asyncio.ensure_future(self.shop.counts(filters, self.bands))
        self._known[filters] = (self.clock() + self.ttl, future)
        self._known.move_to_end(filters)
        while len(self._known) > FACETS_KEPT:
            self._known.popitem(last=False)
        try:
            return await asyncio.shield(future)
        except BaseException:
            if future.done() and (future.cancelled() or future.exception() is not None):
                self._known.pop(filters, None)
            raise
