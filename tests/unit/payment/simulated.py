"""Payment's rules on a simulated machine: one thread, a seeded scheduler, a store that keeps what was committed and
nothing else, and the sandbox's own books as the provider.

Every await of the store and of the provider is a point at which another task may go on, an answer may be lost, or the
process may be killed. The same seed gives the same run.
"""

import random
import tempfile
from collections.abc import AsyncIterator, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sandbox_provider.account import Account, ApiError, CardRefused
from sandbox_provider.books import Books
from services.payment.adapters import stripe_objects
from services.payment.application.ports import (
    BookedPayment,
    Booking,
    LedgerEntry,
    Refused,
    SeenPayment,
    SeenSession,
    ServerError,
    SessionRequest,
    UnknownOutcome,
)
from services.payment.application.record import Record
from services.payment.domain.calls import Call
from services.payment.domain.ledger import Movement


class Pause:
    """Another task may run here."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 27, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


@dataclass
class Committed:
    records: dict[UUID, Record] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    booked: dict[tuple[Movement, str], tuple[UUID, str, int]] = field(default_factory=dict)
    messages: list[tuple[UUID, bool]] = field(default_factory=list)
    told: dict[UUID, list[Record]] = field(default_factory=dict)


class MemoryPayments:
    """The store. What a transaction writes is seen by others when it ends, and never where it was killed."""

    def __init__(self, clock: Clock) -> None:
        self.kept = Committed()
        self._clock = clock
        self._locks: dict[UUID, object] = {}
        self._own: list[tuple[UUID, bool]] = []
        self._transaction: _Transaction | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["_Transaction"]:
        work = _Transaction(self)
        previous, self._transaction = self._transaction, work
        try:
            yield work
            work.commit()
        finally:
            self._transaction = previous
            for order in work.locked:
                self._locks.pop(order, None)

    # In this machine a task is switched at a pause alone, and the transaction at hand goes with it (`Machine`).
    def swap(self, transaction: "_Transaction | None") -> "_Transaction | None":
        before, self._transaction = self._transaction, transaction
        return before

    def _work(self) -> "_Transaction":
        return self._transaction or _Transaction(self)

    def committed(self, told: Sequence[Record]) -> None:
        """`told`: what the order is to hear of the transaction that has ended."""

    async def add(self, record: Record) -> bool:
        await Pause()
        async with (
            self.transaction() if self._transaction is None else nullcontext(self._transaction) as work
        ):
            # Here the lock is of the order, whether or not it has a payment.
            if await self.locked(record.order) is not None:
                return False
            work.records[record.order] = record
        return True

    async def add_with_call(self, record: Record, name: str) -> tuple[Record, Call] | None:
        async with self.transaction():
            return (record, await self.call(name, record.order)) if await self.add(record) else None

    async def locked(self, order: UUID) -> Record | None:
        await Pause()
        work = self._work()
        while self._locks.get(order, work) is not work:
            await Pause()
        self._locks[order] = work
        work.locked.add(order)
        return work.records.get(order) or self.kept.records.get(order)

    async def get(self, order: UUID) -> Record | None:
        await Pause()
        return self._work().records.get(order) or self.kept.records.get(order)

    async def replace(
        self, record: Record, was: Record, bookings: Sequence[Booking] = (), *, ask: bool = False
    ) -> Record | None:
        async with self.transaction():
            if await self.locked(record.order) != was:
                return None
            await self.save(record, was, bookings, ask=ask)
        return record

    async def save(
        self, record: Record, was: Record | None, bookings: Sequence[Booking] = (), *, ask: bool = False
    ) -> None:
        await Pause()
        work = self._work()
        assert record.order in work.locked, "saved without the payment's lock"
        work.records[record.order] = record
        for booking in bookings:
            assert record.intent is not None
            work.booked[booking.movement, booking.provider_id] = (
                record.order,
                record.intent,
                booking.amount,
            )
        if ask:
            work.messages.append((record.order, False))

    async def ask_provider(self, order: UUID) -> None:
        await Pause()
        self._work().messages.append((order, True))

    async def begin(self, name: str, record: Record) -> Call | None:
        async with self.transaction():
            if await self.locked(record.order) != record:
                return None
            return await self.call(name, record.order)

    async def call(self, name: str, order: UUID) -> Call:
        await Pause()
        work = self._work()
        found = work.calls.get(name) or self.kept.calls.get(name) or Call(name, 1, self._clock())
        self._keep_call(found)
        return found

    async def call_failed(self, call: Call) -> None:
        await Pause()
        present = self.kept.calls[call.name]
        if present.round == call.round:
            self._keep_call(replace(present, failed_at=self._clock()))

    async def next_round(self, call: Call) -> Call:
        await Pause()
        present = self.kept.calls[call.name]
        if present.round == call.round:
            present = Call(call.name, call.round + 1, self._clock())
            self._keep_call(present)
        return present

    def _keep_call(self, call: Call) -> None:
        if self._transaction is not None:
            self._transaction.calls[call.name] = call
        else:
            self.kept.calls[call.name] = call

    async def ledger(self, order: UUID) -> Sequence[LedgerEntry]:
        raise NotImplementedError

    async def booked(self, intents: Sequence[str]) -> dict[str, BookedPayment]:
        raise NotImplementedError


class _Transaction:
    def __init__(self, store: MemoryPayments) -> None:
        self._store = store
        self.locked: set[UUID] = set()
        self.records: dict[UUID, Record] = {}
        self.calls: dict[str, Call] = {}
        self.booked: dict[tuple[Movement, str], tuple[UUID, str, int]] = {}
        self.messages: list[tuple[UUID, bool]] = []
        self.told: list[Record] = []

    def commit(self) -> None:
        kept = self._store.kept
        for order, record in self.records.items():
            kept.told.setdefault(order, []).append(record)
        kept.records |= self.records
        kept.calls |= self.calls
        for name, booking in self.booked.items():
            kept.booked.setdefault(name, booking)
        kept.messages += self.messages
        self._store.committed(self.told)


class SimulatedProvider:
    """Stripe's rules from the sandbox's own account, with keys, and faults before and after the effect."""

    name = "simulated"

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.books = Books(Path(self._folder.name) / "books.sqlite3", durable=False)
        self.account = Account(self.books, "https://pay.test", lambda *_: None, clock.seconds)
        self._chance = chance
        self._answers: dict[str, Any] = {}
        self.faulty = True

    def close(self) -> None:
        self.books.close()
        self._folder.cleanup()

    async def create_session(self, request: SessionRequest, key: str) -> SeenSession:
        metadata = {"order_id": str(request.order), "attempt": str(request.attempt)}
        made = await self._changed(
            key,
            lambda: self.account.create_session(
                {
                    "mode": "payment",
                    "success_url": request.return_url,
                    "line_items": {
                        "0": {
                            "quantity": "1",
                            "price_data": {"currency": "krw", "unit_amount": str(request.amount)},
                        }
                    },
                    "expires_at": str(int(request.expires_at.timestamp())),
                    "metadata": metadata,
                    "payment_intent_data": {"capture_method": "manual", "metadata": metadata},
                }
            ),
        )
        return stripe_objects.session(made, (), ())

    async def find_session(self, order: UUID, attempt: int, since: datetime) -> SeenSession | None:
        await self._trouble()
        for session in self._all("checkout.session"):
            if session["metadata"] == {"order_id": str(order), "attempt": str(attempt)}:
                return self._seen(session["id"])
        return None

    async def get_session(self, id_: str) -> SeenSession:
        await self._trouble()
        seen = self._seen(id_)
        await Pause()
        if self._happens(0.05):
            raise UnknownOutcome("lost on its way")
        return seen

    async def expire_session(self, id_: str) -> None:
        await self._changed("", lambda: self.account.expire_session(id_))

    async def capture(self, id_: str, key: str) -> SeenPayment:
        return stripe_objects.payment(await self._changed(key, lambda: self.account.capture(id_, {})), (), ())

    async def cancel(self, id_: str, key: str) -> SeenPayment:
        return stripe_objects.payment(await self._changed(key, lambda: self.account.cancel(id_)), (), ())

    async def refund(self, id_: str, refund: UUID, amount: int, currency: str, key: str) -> None:
        sent = {"payment_intent": id_, "amount": str(amount), "metadata": {"refund_id": str(refund)}}
        status = "pending" if self._happens(0.2) else "succeeded"
        await self._changed(key, lambda: self.account.refund(sent, status=status))

    async def payments(self, since: datetime, until: datetime) -> AsyncIterator[SeenPayment]:
        for intent in self._all("payment_intent"):
            yield stripe_objects.payment(self.account.expanded(intent, ["latest_charge"]), (), ())

    def shopper_pays(self, url: str, *, refused: bool) -> bool:
        try:
            self.account.pay(url.rpartition("/")[2], refused="generic_decline" if refused else None)
        except (ApiError, CardRefused):
            return False
        return True

    def all_intents(self) -> list[dict[str, Any]]:
        return [self.account.expanded(each, ["latest_charge"]) for each in self._all("payment_intent")]

    def all_refunds(self) -> list[dict[str, Any]]:
        return self._all("refund")

    def settle_refunds(self, status: str) -> None:
        for refund in self.all_refunds():
            if refund["status"] == "pending":
                self.account.settle_refund(refund["id"], status)

    async def _changed(self, key: str, act: Any) -> Any:
        await self._trouble()
        if key and key in self._answers:
            saved = self._answers[key]
        else:
            saved = self._act(act)
            if key:
                self._answers[key] = saved
        await Pause()
        if self._happens(0.1):
            raise UnknownOutcome("the answer was lost")
        if isinstance(saved, Exception):
            raise saved
        return saved

    def _act(self, act: Any) -> Any:
        """What is saved under a key: an answer, a refusal, or a 500 before or after the effect."""
        if self._happens(0.08):
            return ServerError("before")
        try:
            done = act()
        except ApiError as fault:
            return Refused(str(fault.error.get("code")))
        return ServerError("after") if self._happens(0.08) else done

    async def _trouble(self) -> None:
        await Pause()
        if self._happens(0.1):
            raise UnknownOutcome("no connection")

    def _happens(self, share: float) -> bool:
        return self.faulty and self._chance.random() < share

    def forget_keys(self) -> None:
        self._answers.clear()

    def _seen(self, id_: str) -> SeenSession:
        session = self.account.expanded(
            self.account.session(id_), ["payment_intent", "payment_intent.latest_charge"]
        )
        intent = session["payment_intent"]
        refunds = [each for each in self.all_refunds() if intent and each["payment_intent"] == intent["id"]]
        return stripe_objects.session(session, refunds, ())

    def _all(self, kind: str) -> list[dict[str, Any]]:
        return self.books.newest(kind, limit=10_000, after=None, since=0, until=2**40, intent=None)


class Machine:
    """Runs tasks a step at a time, in the order that the seed gives; kills them between any two steps."""

    def __init__(self, store: MemoryPayments, chance: random.Random) -> None:
        self._store = store
        self._chance = chance
        self._tasks: list[tuple[Coroutine[Any, Any, Any], Any, Any]] = []

    def start(self, task: Coroutine[Any, Any, Any], then: Any = None) -> None:
        """`then` is called with what came of it: a value, or the exception."""
        self._tasks.append((task, None, then))

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    def step(self) -> None:
        index = self._chance.randrange(len(self._tasks))
        task, transaction, then = self._tasks[index]
        outer = self._store.swap(transaction)
        try:
            task.send(None)
        except StopIteration as end:
            self._tasks.pop(index)
            if then:
                then(end.value)
        except Exception as fault:
            self._tasks.pop(index)
            if then is None:
                raise
            then(fault)
        else:
            self._tasks[index] = (task, self._store.swap(None), then)
        finally:
            self._store.swap(outer)

    def kill(self) -> None:
        """The process dies: every task ends where it is, and nothing that was not committed is kept."""
        tasks, self._tasks = self._tasks, []
        for task, transaction, then in tasks:
            outer = self._store.swap(transaction)
            task.close()
            self._store.swap(outer)
            if then:
                then(Killed())


class Killed(Exception):  # noqa: N818  # named as the outcome that it is
    pass


DAY = timedelta(days=1)
