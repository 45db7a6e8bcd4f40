"""The shopkeeper's first page: how the day goes, and what waits for somebody."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from services.bff.application.gathering import gather
from services.bff.application.sources import (
    BooksSource,
    OrderBookSource,
    OrderNumbers,
    Outbox,
    OutboxSource,
    Reconciliation,
    Revenue,
    StockLevel,
    StockSource,
)

SCARCE = 5
"""So few available, or fewer: it runs out."""
LISTED = 8
"""Of what runs out; the stock page has the rest."""


LATE = timedelta(minutes=10)
"""A message that waits for so long waits for somebody: its receiver is down, or does not take it."""


class Stuck(msgspec.Struct, frozen=True):
    """A service's dead letters, at most 100 of them, and since when its oldest message waits where that is too long."""

    service: str
    dead: int
    late_since: datetime | None


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
        outboxes: dict[str, OutboxSource],
        clock: Callable[[], datetime],
    ) -> None:
        self._orders = orders
        self._books = books
        self._stock = stock
        self._outboxes = outboxes
        self._clock = clock

    async def today(self, token: str, since: datetime, before: datetime) -> Today:
        """Of the interval [since, before), which is a day where the shop is."""
        sources: dict[str, Awaitable[object]] = {
            "orders": self._orders.numbers(token, since, before),
            "revenue": self._books.revenue(token, since, before),
            "reconciliation": self._books.reconciliation(token),
            "running_out": self._stock.running_out(token, SCARCE, LISTED),
            **{f"stuck_{name}": source.stuck(token) for name, source in self._outboxes.items()},
        }
        parts = await gather(sources)
        found = parts.found
        now = self._clock()
        stuck = [
            Stuck(name, outbox.dead, late(outbox, now))
            for name in self._outboxes
            if (outbox := found[f"stuck_{name}"]) is not None
        ]
        return Today(
            orders=found["orders"],
            revenue=found["revenue"],
            reconciliation=found["reconciliation"],
            running_out=found["running_out"],
            stuck=stuck,
            degraded=parts.missing,
        )


def late(outbox: Outbox, now: datetime) -> datetime | None:
    """Since when its oldest message waits, where that is longer than `LATE`."""
    since = outbox.waiting_since
    return since if since is not None and now - since > LATE else None
