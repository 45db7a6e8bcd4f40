"""Stores of order and catalog that keep what was committed and nothing else, and lock as PostgreSQL does.

Every call may be where another task goes on, or where the process dies: see `tests.unit.payment.simulated`.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.catalog.domain import reservations
from services.catalog.domain.reservations import Effect, Line
from services.catalog.domain.stock import Stock
from services.order.application.ports import Refund, Standing
from services.order.domain.orders import Occurrence, Order, Payment, Shipment
from services.order.domain.refunds import Plan, Refunded
from services.order.domain.states import Command
from services.order.domain.transitions import FIRST, Transition
from tests.unit.payment.simulated import Pause

_UNITS = {
    Effect.NONE: (0, 0),
    Effect.RESERVE: (0, 1),
    Effect.SELL: (-1, -1),
    Effect.RESERVE_AND_SELL: (-1, 0),
    Effect.FREE: (0, -1),
    Effect.TAKE_BACK: (1, 0),
}


@dataclass(frozen=True)
class Message:
    """One of order's outbox. Of those with one `aggregate` the first goes first."""

    number: int
    aggregate: str
    order: UUID
    peer: str
    what: Any


@dataclass
class Written:
    orders: dict[UUID, Order] = field(default_factory=dict)
    sequences: dict[UUID, int] = field(default_factory=dict)
    refunds: dict[UUID, tuple[UUID, Refund]] = field(default_factory=dict)
    events: list[tuple[UUID, Occurrence]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    locked: set[UUID] = field(default_factory=set)


class MemoryOrders:
    """Orders, their refunds and their outbox; also the unit of work."""

    def __init__(self) -> None:
        self.kept = Written()
        self.wrong: list[str] = []
        self._locks: dict[UUID, Written] = {}
        self._transaction: Written | None = None
        self._numbers = 0

    def swap(self, transaction: Any) -> Any:
        before, self._transaction = self._transaction, transaction
        return before

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        if self._transaction is not None:  # joined, as Database.transaction
            yield
            return
        work = self._transaction = Written()
        try:
            yield
            kept = self.kept
            kept.orders |= work.orders
            kept.sequences |= work.sequences
            kept.refunds |= work.refunds
            kept.events += work.events
            kept.messages += work.messages
        finally:
            self._transaction = None
            for order in work.locked:
                self._locks.pop(order, None)

    @asynccontextmanager
    async def _work(self) -> AsyncIterator[Written]:
        async with self.transaction():
            assert self._transaction is not None
            yield self._transaction

    async def _lock(self, work: Written, id_: UUID) -> None:
        while self._locks.get(id_, work) is not work:
            await Pause()
        self._locks[id_] = work
        work.locked.add(id_)

    def _seen(self, work: Written, id_: UUID) -> Order | None:
        return work.orders.get(id_) or self.kept.orders.get(id_)

    async def place(self, order: Order) -> None:
        async with self._work() as work:
            await Pause()
            work.orders[order.id] = order
            await self.send(order.id, FIRST.commands)

    async def get(self, id_: UUID) -> Order | None:
        await Pause()
        async with self._work() as work:
            return self._seen(work, id_)

    async def standing(self, id_: UUID) -> Standing | None:
        order = await self.get(id_)
        return Standing(order.state, order.reason, order.version) if order else None

    async def _set(self, id_: UUID, version: int, change: Callable[[Order], Order]) -> bool:
        async with self._work() as work:
            await Pause()
            await self._lock(work, id_)  # an UPDATE waits for the row, then looks at the version again
            order = self._seen(work, id_)
            if order is None or order.version != version:
                return False
            work.orders[id_] = replace(change(order), version=version + 1)
            return True

    async def move(self, id_: UUID, version: int, transition: Transition, occurrence: Occurrence) -> bool:
        async with self._work() as work:
            moved = await self._set(
                id_,
                version,
                lambda order: replace(
                    order, state=transition.state, reason=transition.reason or order.reason
                ),
            )
            if moved:
                work.events.append((id_, occurrence))
            return moved

    async def moved(
        self, id_: UUID, version: int, transition: Transition, occurrence: Occurrence
    ) -> Order | None:
        async with self._work() as work:
            moved = await self.move(id_, version, transition, occurrence)
            return self._seen(work, id_) if moved else None

    async def touch(self, id_: UUID, version: int, now: datetime) -> bool:
        return await self._set(id_, version, lambda order: order)

    async def record(self, id_: UUID, occurrence: Occurrence) -> None:
        async with self._work() as work:
            await Pause()
            work.events.append((id_, occurrence))

    async def remember_payment(self, id_: UUID, payment: Payment, sequence: int) -> Standing | None:
        async with self._work() as work:
            await Pause()
            await self._lock(work, id_)
            order = self._seen(work, id_)
            known = work.sequences.get(id_) or self.kept.sequences.get(id_, 0)
            if order is None or known >= sequence:
                return None
            work.orders[id_], work.sequences[id_] = replace(order, payment=payment), sequence
            return Standing(order.state, order.reason, order.version)

    async def ship(self, id_: UUID, shipment: Shipment) -> None:
        async with self._work() as work:
            await Pause()
            order = self._seen(work, id_)
            given = (await self.before(id_)).amount
            if order is not None and given >= order.total:
                self.wrong.append(f"order {id_.int} is sent, and {given} of it were given back")

    # ----- Messages

    async def send(self, order: UUID, commands: Sequence[Command], known: Order | None = None) -> None:
        for command in commands:
            peer = {"stock": "catalog", "payment": "payment"}.get(command.value.rpartition("_")[2])
            if peer is not None:
                await self._put(order, f"{order}:{peer}", peer, command)

    async def refund(self, order: UUID, refund: UUID, amount: int, reason: str) -> None:
        await self._put(order, f"{order}:refund:{refund}", "payment", (refund, amount))

    async def mail_refund(self, order: UUID, refund: UUID) -> None: ...

    async def _put(self, order: UUID, aggregate: str, peer: str, what: Any) -> None:
        async with self._work() as work:
            await Pause()
            self._numbers += 1
            work.messages.append(Message(self._numbers, aggregate, order, peer, what))

    # ----- Refunds

    async def before(self, order: UUID) -> Refunded:
        return Refunded(amount=sum(each.amount for each in await self.of(order) if each.state != "failed"))

    async def add(
        self, id_: UUID, order: UUID, plan: Plan, reason: str, note: str, actor: str, now: datetime
    ) -> None:
        async with self._work() as work:
            await Pause()
            refund = Refund(
                id=id_,
                amount=plan.amount,
                reason=reason,
                note=note,
                state="asked",
                parts=(),
                shipping=False,
                actor=actor,
                created_at=now,
            )
            work.refunds[id_] = (order, refund)

    async def settle(self, id_: UUID, state: str, now: datetime) -> bool:
        async with self._work() as work:
            await Pause()
            await self._lock(work, id_)
            order, refund = work.refunds.get(id_) or self.kept.refunds[id_]
            news = {
                "asked": {"pending", "done", "failed"},
                "pending": {"done", "failed"},
                "done": {"failed"},
            }
            if state not in news.get(refund.state, ()):
                return False
            work.refunds[id_] = (order, replace(refund, state=state))
            return True

    async def pending(self, order: UUID) -> Sequence[tuple[UUID, int, str]]:
        return [
            (each.id, each.amount, each.reason) for each in await self.of(order) if each.state == "pending"
        ]

    async def of(self, order: UUID) -> Sequence[Refund]:
        await Pause()
        async with self._work() as work:
            return [refund for of, refund in (self.kept.refunds | work.refunds).values() if of == order]


class MemoryStock:
    """The catalog's reservations by its own table, each call one transaction."""

    def __init__(self, stock: dict[UUID, Stock], released: Callable[[UUID], None]) -> None:
        self.stock = stock
        self.reservations: dict[UUID, reservations.State] = {}
        self.lines: dict[UUID, Sequence[Line]] = {}
        self.wrong: list[str] = []
        self._released = released

    def swap(self, transaction: Any) -> Any:
        return None

    async def pursue(self, order: UUID, goal: reservations.Goal, lines: Sequence[Line]) -> reservations.State:
        await Pause()
        present = self.reservations.get(order)
        state, effect = reservations.decide(present, goal)
        taking = effect in {Effect.RESERVE, Effect.RESERVE_AND_SELL}
        if taking and reservations.shortages(lines, self.stock):
            state, effect = reservations.State.SOLD_OUT, Effect.NONE
        on_hand, reserved = _UNITS[effect]
        units: dict[UUID, int] = defaultdict(int)
        for line in lines:
            units[line.variant] += line.quantity
        for variant, quantity in units.items():
            now = self.stock[variant]
            after = Stock(now.on_hand + on_hand * quantity, now.reserved + reserved * quantity)
            if not 0 <= after.reserved <= after.on_hand:
                self.wrong.append(f"stock {after} of {variant.int}")
            self.stock[variant] = after
        self.reservations[order], self.lines[order] = state, lines
        if state is reservations.State.RELEASED and present is not state:
            self._released(order)
        await Pause()
        return state
