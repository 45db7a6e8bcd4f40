"""Delivers the orders, beside the service, in every replica; whoever claims an order first delivers it."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.chassis.errors import Problem
from services.chassis.http_client import CallFailed, HttpClient
from services.chassis.identity import INTERNAL_KEY_HEADER
from services.chassis.outbox import decisions
from services.chassis.outbox.decisions import Fate
from services.chassis.outbox.order_number import ORDER_NUMBER_HEADER
from services.chassis.outbox.store import Order, OutboxStore

_log = logging.getLogger(__name__)

BATCH = 16
POLL_INTERVAL_S = 0.3
MEASURE_EVERY = 20
CALL_TIMEOUT_S = 3.0


class Delivery:
    """`targets` has the base URL of each service that orders may name."""

    def __init__(
        self,
        store: OutboxStore,
        client: HttpClient,
        *,
        targets: Mapping[str, str],
        internal_key: str,
        registry: CollectorRegistry,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._client = client
        self._targets = targets
        self._internal_key = internal_key
        self._chance = chance
        self._attempts = Counter(
            "outbox_attempts_total", "Deliveries tried, by fate.", ("fate",), registry=registry
        )
        self._pending = Gauge("outbox_pending", "Orders that wait for delivery.", registry=registry)
        self._parked = Gauge("outbox_parked", "Orders that the receiver refuses.", registry=registry)
        self._oldest = Gauge(
            "outbox_oldest_seconds", "Age of the oldest order that waits.", registry=registry
        )

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Delivers for as long as the context lasts; an order being delivered at its end is left to be repeated."""
        task = asyncio.create_task(self._run(), name="outbox delivery")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def deliver_due(self) -> int:
        """One round: claims what is due, tries each once, writes down what came of it. Returns how many it tried."""
        async with self._store.claim(BATCH) as orders:
            outcomes = await asyncio.gather(*(self._attempt(order) for order in orders))
            delivered = []
            for order, (status, error) in zip(orders, outcomes, strict=True):
                refused = decisions.is_refusal(status)
                fate = decisions.decide(status, order.refusals + refused)
                self._attempts.labels(fate.value).inc()
                if fate is Fate.DELIVERED:
                    delivered.append(order.id)
                    continue
                _log.warning(
                    "an order was not delivered",
                    extra={"order": order.id, "target": order.target, "fate": fate.value, "cause": error},
                )
                if fate is Fate.PARK:
                    await self._store.park(order.id, error)
                else:
                    after = decisions.delay(order.attempts + 1, self._chance())
                    await self._store.retry_later(order.id, after, error, refused=refused)
            if delivered:
                await self._store.delivered(delivered)
        return len(orders)

    async def _run(self) -> None:
        rounds = 0
        while True:
            tried = 0
            try:
                if rounds % MEASURE_EVERY == 0:
                    await self._measure()
                tried = await self.deliver_due()
            except Problem as fault:
                _log.warning("the outbox cannot be read", extra={"cause": fault.detail})
            except Exception:
                # Whatever it is, deliveries must go on for all the other orders.
                _log.exception("a round of deliveries failed")
            rounds += 1
            if tried < BATCH:  # else more is due
                await self._store.news(POLL_INTERVAL_S)

    async def _attempt(self, order: Order) -> tuple[int | None, str]:
        base = self._targets.get(order.target)
        if base is None:
            return None, f"no address is configured for {order.target}"
        headers = {
            INTERNAL_KEY_HEADER: self._internal_key,
            ORDER_NUMBER_HEADER: str(order.id),
            "Content-Type": "application/json",
        }
        if order.request_id:
            headers["X-Request-Id"] = order.request_id
        try:
            answer = await self._client.call(
                order.method, base + order.path, timeout=CALL_TIMEOUT_S, headers=headers, body=order.body
            )
        except CallFailed as fault:
            return None, str(fault)
        return answer.status, f"status {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}"

    async def _measure(self) -> None:
        backlog = await self._store.backlog()
        self._pending.set(backlog.pending)
        self._parked.set(backlog.parked)
        self._oldest.set(backlog.oldest)
