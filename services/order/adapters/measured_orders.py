"""Orders that count what happens to them, and say how long the oldest one waits for somebody."""

from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.chassis.postgres import Database
from services.order.adapters.orders_postgres import PostgresOrders
from services.order.application.ports import NewOrder
from services.order.domain.orders import Occurrence, Order
from services.order.domain.states import FINAL, State
from services.order.domain.transitions import Transition

WAITING = (
    State.PLACED,
    State.AUTHORISED,
    State.COMMITTED,
    State.CLOSING,
    State.RELEASING,
    State.REFUNDING,
)
"""For an answer of another service; in all other states it is a person's turn, or nobody's."""
UNFINISHED = (
    "SELECT state, extract(epoch FROM clock_timestamp() - min(updated_at))::float8 AS oldest FROM orders "
    "WHERE state IN ('placed', 'authorised', 'committed', 'closing', 'releasing', 'refunding') GROUP BY state"
)
OPEN = "SELECT state, count(*) AS orders FROM orders WHERE state = ANY($1) GROUP BY state"
"""Those that something still happens to: their number stays bounded. Of the others order_events_total tells."""
REFUNDS = (
    "SELECT state, extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS oldest FROM refund "
    "WHERE state IN ('asked', 'pending') GROUP BY state"
)
OVERDUE = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(hold_until)), 0)::float8 AS oldest FROM orders "
    "WHERE state IN ('placed', 'held', 'paying') AND hold_until <= clock_timestamp()"
)


class MeasuredOrders(PostgresOrders):
    def __init__(self, database: Database, registry: CollectorRegistry) -> None:
        super().__init__(database)
        self._measured = database
        self._events = Counter(
            "order_events_total", "What happened to orders.", ("event", "state"), registry=registry
        )
        self._open = Gauge("order_open", "Orders that are not over.", ("state",), registry=registry)
        self._oldest = Gauge(
            "order_unfinished_oldest_seconds",
            "Since when the oldest order in a state waits for another service.",
            ("state",),
            registry=registry,
        )

        self._refunds = Gauge(
            "order_refunds_oldest_seconds",
            "Since when the oldest refund waits: asked (payment has not answered) or pending (the provider).",
            ("state",),
            registry=registry,
        )
        self._overdue = Gauge(
            "order_overdue_oldest_seconds",
            "Since when the hold of the oldest unpaid order is over, and nobody has closed it.",
            registry=registry,
        )

    async def move(self, id_: UUID, version: int, transition: Transition, occurrence: Occurrence) -> bool:
        moved = await super().move(id_, version, transition, occurrence)
        if moved:
            self._events.labels(occurrence.event, occurrence.state).inc()
        return moved

    async def moved(
        self, id_: UUID, version: int, transition: Transition, occurrence: Occurrence
    ) -> Order | None:
        order = await super().moved(id_, version, transition, occurrence)
        if order is not None:
            self._events.labels(occurrence.event, occurrence.state).inc()
        return order

    async def add(self, order: NewOrder, occurrence: Occurrence) -> Order:
        added = await super().add(order, occurrence)
        self._events.labels(occurrence.event, occurrence.state).inc()
        return added

    async def record(self, id_: UUID, occurrence: Occurrence) -> None:
        await super().record(id_, occurrence)
        self._events.labels(occurrence.event, occurrence.state).inc()

    async def measure(self) -> None:
        numbers = {
            row["state"]: row["orders"]
            for row in await self._measured.fetch(OPEN, [each.value for each in set(State) - FINAL])
        }
        for state in set(State) - FINAL:
            self._open.labels(state.value).set(numbers.get(state.value, 0))
        rows = await self._measured.fetch(UNFINISHED)
        found = {row["state"]: row["oldest"] for row in rows}
        for state in WAITING:
            self._oldest.labels(state.value).set(max(found.get(state.value, 0.0), 0.0))
        refunds = {row["state"]: row["oldest"] for row in await self._measured.fetch(REFUNDS)}
        for each in ("asked", "pending"):
            self._refunds.labels(each).set(max(refunds.get(each, 0.0), 0.0))
        self._overdue.set((await self._measured.fetch(OVERDUE))[0]["oldest"])
