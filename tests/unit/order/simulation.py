"""Orders, catalog, payment and the provider in one process: the real rules, in-memory stores, and a scheduler that does
what networks and processes do: it delays, repeats, reorders and drops messages and answers. Seeded, so that a run can
be run again.

What is real: the order's table and its progress, the catalog's table of reservations, the payment's state and steps.
Modelled: the outbox (in order for each aggregate, repeated until an answer is taken; an attempt that was given up may
still arrive much later), the databases, and the provider.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, cast
from uuid import UUID

from services.catalog.domain import reservations
from services.catalog.domain.reservations import Effect, Line
from services.catalog.domain.stock import Stock
from services.order.application.ports import Messages, Orders, Standing
from services.order.application.progress import ProgressService
from services.order.domain.errors import RequestRefused
from services.order.domain.observations import OF_PAYMENT, OF_STOCK
from services.order.domain.states import FINAL, Command, Event, Reason, State
from services.order.domain.transitions import FIRST, Transition
from services.payment.domain import payments
from services.payment.domain.payments import Goal, Session, Step

AMOUNT = 1000
NOW = datetime(2026, 11, 27, tzinfo=UTC)
SETTLED = frozenset((*FINAL, State.PAID, State.SHIPPED))

_STOCK = {
    Command.HOLD_STOCK: reservations.Goal.HELD,
    Command.COMMIT_STOCK: reservations.Goal.COMMITTED,
    Command.RELEASE_STOCK: reservations.Goal.RELEASED,
}
_MONEY = {
    Command.CAPTURE_PAYMENT: Goal.CAPTURE,
    Command.VOID_PAYMENT: Goal.VOID,
}
_UNITS = {
    Effect.NONE: (0, 0),
    Effect.RESERVE: (0, 1),
    Effect.SELL: (-1, -1),
    Effect.RESERVE_AND_SELL: (-1, 0),
    Effect.FREE: (0, -1),
    Effect.TAKE_BACK: (1, 0),
}


class Broken(AssertionError):  # noqa: N818
    """An invariant does not hold."""


@dataclass
class Message:
    """To catalog or payment from an order, or to an order from payment (`what` is a state then)."""

    order: UUID
    what: Any


@dataclass
class World:
    """`orders` orders of up to two variants, of which there is not enough for all."""

    random: Random
    orders: int = 3
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = self.random
        self.variants = [UUID(int=number) for number in (1, 2)]
        self.start = {variant: random.randint(1, 6) for variant in self.variants}
        self.stock = {variant: Stock(units, 0) for variant, units in self.start.items()}
        self.reservations: dict[UUID, reservations.State] = {}
        self.payments: dict[UUID, payments.Payment] = {}
        self.captures: dict[UUID, int] = defaultdict(int)
        self.standing: dict[UUID, Standing] = {}
        self.lines: dict[UUID, Sequence[Line]] = {}
        self.outboxes: dict[tuple[UUID, str], list[Message]] = defaultdict(list)
        self.late: list[tuple[str, Message]] = []
        self.progress = ProgressService(
            orders=cast(Orders, _Rows(self)),
            messages=cast(Messages, _Outbox(self)),
            work=_NoTransaction(),
            clock=lambda: NOW,
        )
        for number in range(self.orders):
            id_ = UUID(int=100 + number)
            wanted = random.sample(self.variants, random.randint(1, 2))
            self.lines[id_] = reservations.combined([Line(each, random.randint(1, 2)) for each in wanted])
            self.standing[id_] = Standing(FIRST.state, None, 1)
            for command in FIRST.commands:
                self.send(id_, command)

    def say(self, text: str) -> None:
        self.log.append(text)

    # ----- The order's side

    def send(self, order: UUID, command: Command) -> None:
        if command in _STOCK:
            self.outboxes[order, "catalog"].append(Message(order, _STOCK[command]))
        elif command in _MONEY:
            self.outboxes[order, "payment"].append(Message(order, _MONEY[command]))

    def happens(self, order: UUID, event: Event) -> None:
        before = self.standing[order].state
        try:
            finished(self.progress.apply(order, event))
        except RequestRefused:
            return
        after = self.standing[order].state
        if after is not before:
            self.say(f"order {order.int}: {event.value}: {before.value} -> {after.value}")

    def pay(self, order: UUID) -> None:
        """The shopper asks for the page, and order's call of payment may come late, or never."""
        self.happens(order, Event.PAY_REQUESTED)
        if self.standing[order].state is not State.PAYING:
            return
        call = Message(order, Goal.AUTHORISE)
        fate = self.random.choices(("answered", "answer lost", "lost", "given up"), weights=(6, 2, 1, 1))[0]
        if fate == "given up":
            self.late.append(("payment", call))
        elif fate != "lost":
            event = self.receive("payment", call)
            if event is not None and fate == "answered":
                self.happens(order, event)

    # ----- What receivers do

    def receive(self, peer: str, message: Message) -> Event | None:
        """The receiver's work; the event that its answer is to the sender."""
        if peer == "catalog":
            return OF_STOCK[self._reserve(message.order, message.what).value]
        if peer == "payment":
            return OF_PAYMENT[self._pursue(message.order, message.what).value]
        event = OF_PAYMENT[message.what]
        if event is not None:
            self.happens(message.order, event)
        return None

    def _reserve(self, order: UUID, goal: reservations.Goal) -> reservations.State:
        present = self.reservations.get(order)
        state, effect = reservations.decide(present, goal)
        taking = effect in {Effect.RESERVE, Effect.RESERVE_AND_SELL}
        if taking and reservations.shortages(self.lines[order], self.stock):
            state, effect = reservations.State.SOLD_OUT, Effect.NONE
        if state is reservations.State.RELEASED and present is not state and self._money(order):
            raise Broken(f"stock of order {order.int} is free while there is money in it")
        on_hand, reserved = _UNITS[effect]
        for line in self.lines[order]:
            now = self.stock[line.variant]
            after = Stock(now.on_hand + on_hand * line.quantity, now.reserved + reserved * line.quantity)
            if not 0 <= after.reserved <= after.on_hand:
                raise Broken(f"stock {after} of {line.variant.int}")
            self.stock[line.variant] = after
        self.reservations[order] = state
        self.say(f"catalog {order.int}: {goal.value}: {state.value}")
        return state

    def _pursue(self, order: UUID, goal: Goal) -> payments.State:
        payment = self.payments.get(order, payments.Payment(amount=AMOUNT, goal=goal)).wanted(goal)
        self._keep(order, payment)
        self.say(f"payment {order.int}: {goal.name}: {payment.state.value}")
        return payment.state

    def _keep(self, order: UUID, payment: payments.Payment) -> None:
        known = self.payments.get(order)
        self.payments[order] = payment
        if known is None or known.state is not payment.state:
            self.outboxes[order, "order"].append(Message(order, payment.state.value))

    def _money(self, order: UUID) -> bool:
        """Whether there is any, or could come any more."""
        payment = self.payments.get(order)
        if payment is None:
            return False
        known = payment.known
        if known.captured:
            return known.refunded < known.captured
        if known.cancelled:
            return False
        return known.authorised > 0 or known.session in {Session.OPEN, Session.ASKED}

    # ----- The provider, and who looks at it

    def sees(self, order: UUID, **seen: Any) -> None:
        payment = self.payments[order]
        self._keep(order, payment.observed(replace(payment.known, **seen)))

    def step(self, order: UUID) -> None:
        """Payment does at the provider what is due."""
        payment = self.payments[order]
        step = payment.step
        self.say(f"payment {order.int}: {step.value if step else 'nothing'} at the provider")
        match step:
            case Step.OPEN_SESSION:
                asked = payment.known.session is Session.ASKED
                self.sees(order, session=Session.OPEN if asked else Session.ASKED)
            case Step.CLOSE_SESSION:
                self.sees(order, session=Session.CLOSED)
            case Step.CAPTURE:
                if self.reservations.get(order) is not reservations.State.COMMITTED:
                    raise Broken(f"money of order {order.int} is collected before its stock is sold")
                self.captures[order] += 1
                self.sees(order, captured=AMOUNT)
            case Step.CANCEL:
                self.sees(order, cancelled=True)
            case Step.REFUND_REST:
                self.sees(order, refunded=AMOUNT)

    def shopper(self, order: UUID, *, pays: bool) -> None:
        """On the provider's page."""
        payment = self.payments.get(order)
        if payment is None or payment.known.session is not Session.OPEN:
            return
        if not pays:
            self.say(f"shopper {order.int}: leaves, and the page expires")
            self.sees(order, session=Session.CLOSED)
            return
        if self.reservations.get(order) is not reservations.State.HELD:
            raise Broken(f"order {order.int} is paid and has no stock")
        self.say(f"shopper {order.int}: pays")
        self.sees(order, session=Session.COMPLETE, authorised=AMOUNT)

    # ----- The scheduler

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.random.choice(self._possible())()
        self._settle()
        self._check()

    def _possible(self) -> list[Callable[[], None]]:
        random = self.random
        order = random.choice(list(self.standing))
        actions: list[Callable[[], None]] = [
            *[lambda: self.pay(order)] * 4,
            *[lambda: self.shopper(order, pays=random.random() < 0.9)] * 4,
            lambda: self.happens(order, random.choice([Event.SHIP_REQUESTED, Event.DELIVER_REQUESTED])),
        ]
        if random.random() < 0.25:
            actions.append(
                lambda: self.happens(order, random.choice([Event.CANCEL_REQUESTED, Event.HOLD_EXPIRED]))
            )
        if order in self.payments and self.payments[order].step:
            actions += [lambda: self.step(order)] * 3
        for key, waiting in self.outboxes.items():
            if waiting:
                actions += [functools.partial(self._attempt, key)] * 3
        if self.late:
            actions.append(self._arrives_late)
        return actions

    def _attempt(self, key: tuple[UUID, str]) -> None:
        """One try to deliver the first message of an aggregate."""
        message, peer = self.outboxes[key][0], key[1]
        fate = self.random.choices(("delivered", "answer lost", "lost", "given up"), weights=(6, 2, 1, 1))[0]
        if fate == "lost":
            return
        if fate == "given up":
            self.late.append((peer, message))
            return
        event = self.receive(peer, message)
        if fate == "answer lost":
            self.say(f"the answer of {peer} to order {message.order.int} is lost")
            return
        if event is not None:
            self.happens(message.order, event)
        self.outboxes[key].pop(0)

    def _arrives_late(self) -> None:
        peer, message = self.late.pop(self.random.randrange(len(self.late)))
        self.say(f"late, to {peer}: {message.what}")
        self.receive(peer, message)  # nobody waits for the answer any more

    def _settle(self) -> None:
        """Faults end, the clock goes on, and everything that waits is done."""
        for _ in range(2000):
            while self.late:
                self._arrives_late()
            for order in self.standing:
                if self.payments.get(order) is not None and self.payments[order].step:
                    self.step(order)
                self.happens(order, Event.HOLD_EXPIRED)
            waiting = [key for key, messages in self.outboxes.items() if messages]
            for key in waiting:
                message = self.outboxes[key][0]
                if (event := self.receive(key[1], message)) is not None:
                    self.happens(message.order, event)
                self.outboxes[key].pop(0)
            if not waiting and not any(payment.step for payment in self.payments.values()):
                return
        raise Broken("it goes on for ever")

    def _check(self) -> None:
        sold: dict[UUID, int] = defaultdict(int)
        for order, standing in self.standing.items():
            state = standing.state
            if state not in SETTLED:
                raise Broken(f"order {order.int} stays {state.value}")
            payment = self.payments.get(order)
            left = payment.known.captured - payment.known.refunded if payment else 0
            kept = state in {State.PAID, State.SHIPPED, State.DELIVERED}
            if left != (AMOUNT if kept else 0) or (self._money(order) and not kept):
                raise Broken(f"order {order.int} is {state.value} with {left} in it")
            reservation = self.reservations.get(order)
            if (reservation is reservations.State.COMMITTED) != kept:
                raise Broken(f"order {order.int} is {state.value}, its stock {reservation}")
            if self.captures[order] > 1:
                raise Broken(f"order {order.int} was charged {self.captures[order]} times")
            if kept:
                for line in self.lines[order]:
                    sold[line.variant] += line.quantity
        for variant, stock in self.stock.items():
            if stock != Stock(self.start[variant] - sold[variant], 0):
                raise Broken(f"stock of {variant.int} is {stock}, started with {self.start[variant]}")


def finished(coroutine: Any) -> None:
    """Runs what never waits: nothing here does, and 10,000 event loops would."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("it waits for something")


class _NoTransaction:
    def transaction(self) -> AbstractAsyncContextManager[Any]:
        return nullcontext()


class _Rows:
    def __init__(self, world: World) -> None:
        self._world = world

    async def standing(self, id_: UUID) -> Standing:
        return self._world.standing[id_]

    async def move(self, id_: UUID, version: int, transition: Transition, occurrence: object) -> bool:
        before = self._world.standing[id_]
        reason: Reason | None = transition.reason or before.reason
        self._world.standing[id_] = Standing(transition.state, reason, version + 1)
        return before.version == version

    async def moved(self, id_: UUID, version: int, transition: Transition, occurrence: object) -> UUID | None:
        return id_ if await self.move(id_, version, transition, occurrence) else None

    async def record(self, id_: UUID, occurrence: object) -> None: ...


class _Outbox:
    def __init__(self, world: World) -> None:
        self._world = world

    async def send(self, order: UUID, commands: Sequence[Command], known: object) -> None:
        for command in commands:
            self._world.send(order, command)


def outcome(seed: int, steps: int = 80) -> tuple[str | None, World]:
    """What broke with this seed, if anything; run it again to see how: `world.log` says."""
    world = World(Random(seed))  # chance that can be repeated is the point
    try:
        world.run(steps)
    except Broken as fault:
        return str(fault), world
    return None, world
