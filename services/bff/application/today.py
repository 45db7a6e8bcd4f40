"""The shopkeeper's first page: how the day goes, and what waits for somebody."""

from collections.abc import Awaitable
from datetime import datetime

import msgspec

from services.bff.application.gathering import gather
from services.bff.application.sources import (
    BooksSource,
    DeadLetterSource,
    OrderBookSource,
    OrderNumbers,
    Reconciliation,
    Revenue,
    StockLevel,
    StockSource,
)

SCARCE = 5
"""So few available, or fewer: it runs out."""
LISTED = 8
"""Of what runs out; the stock page has the rest."""


class Stuck(msgspec.Struct, frozen=True):
    """A service's dead letters, `counted` up to the number at which somebody should look anyway (`more`)."""

    service: str
    counted: int
    more: bool


class Today(msgspec.Struct, frozen=True):
    """What is named in `degraded` is null here; of `stuck`, `stuck_<service>` names one that gave no answer. `revenue`
    has an amount for each currency that was booked in."""

    orders: OrderNumbers | None
    revenue: list[Revenue] | None
    reconciliation: Reconciliation | None
    running_out: list[StockLevel] | None
    stuck: list[Stuck]
    degraded: list[str]


class ShopkeeperScreens:
    """Raises CallerRefused where a source says that the caller's session has ended."""

    def __init__(
        self,
        orders: OrderBookSource,
        books: BooksSource,
        stock: StockSource,
        dead_letters: dict[str, DeadLetterSource],
    ) -> None:
        self._orders = orders
        self._books = books
        self._stock = stock
        self._dead_letters = dead_letters

    async def today(self, token: str, since: datetime, before: datetime) -> Today:
        """Of the interval [since, before), which is a day where the shop is."""
        sources: dict[str, Awaitable[object]] = {
            "orders": self._orders.numbers(token, since, before),
            "revenue": self._books.revenue(token, since, before),
            "reconciliation": self._books.reconciliation(token),
            "running_out": self._stock.running_out(token, SCARCE, LISTED),
            **{f"stuck_{name}": source.dead(token) for name, source in self._dead_letters.items()},
        }
        parts = await gather(sources)
        found = parts.found
        stuck = [
            Stuck(name, *found[f"stuck_{name}"])
            for name in self._dead_letters
            if found[f"stuck_{name}"] is not None
        ]
        return Today(
            orders=found["orders"],
            revenue=found["revenue"],
            reconciliation=found["reconciliation"],
            running_out=found["running_out"],
            stuck=stuck,
            degraded=parts.missing,
        )
