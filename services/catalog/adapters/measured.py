"""The stores with their metrics: how long searches take, what becomes of reservations, what stock refuses."""

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.catalog.adapters.shop_postgres import PostgresShop
from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.application.ports import Card, ListQuery
from services.catalog.application.stock import Adjustment, Outcome
from services.catalog.domain.errors import BelowReserved, OtherLines
from services.catalog.domain.reservations import Goal, Line
from services.catalog.domain.stock import Stock
from services.chassis.cache_tags import CacheTags
from services.chassis.postgres import Database


class MeasuredShop(PostgresShop):
    def __init__(self, database: Database, registry: CollectorRegistry) -> None:
        super().__init__(database)
        self._search = Histogram(
            "catalog_search_seconds",
            "Time that the database takes for a page of a search.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )

    async def cards(self, query: ListQuery) -> Sequence[Card]:
        if not query.filters.words:
            return await super().cards(query)
        started = time.perf_counter()
        try:
            return await super().cards(query)
        finally:
            self._search.observe(time.perf_counter() - started)


class MeasuredStock(PostgresStock):
    def __init__(
        self,
        database: Database,
        registry: CollectorRegistry,
        tags: CacheTags | None = None,
        *,
        few_left: int = 5,
    ) -> None:
        super().__init__(database, tags, few_left=few_left)
        self._reservations = Counter(
            "catalog_reservations_total",
            "Calls for a reservation, by what was wanted and what it is now.",
            ("goal", "state"),
            registry=registry,
        )
        self._sold_out = Counter(
            "catalog_sold_out_total",
            "Attempts to sell more than there is: lines that were refused to an order.",
            registry=registry,
        )
        self._conflicts = Counter(
            "catalog_stock_conflicts_total",
            "Refused because of what orders have: other lines for one order, or less than is reserved.",
            ("kind",),
            registry=registry,
        )

    async def pursue(self, order: UUID, goal: Goal, lines: Sequence[Line], now: datetime) -> Outcome:
        try:
            outcome = await super().pursue(order, goal, lines, now)
        except OtherLines:
            self._conflicts.labels("other_lines").inc()
            raise
        self._reservations.labels(goal.value, outcome.state.value).inc()
        self._sold_out.inc(len(outcome.short))
        return outcome

    async def adjust(self, variant: UUID, adjustment: Adjustment, now: datetime) -> Stock:
        try:
            return await super().adjust(variant, adjustment, now)
        except BelowReserved:
            self._conflicts.labels("below_reserved").inc()
            raise
