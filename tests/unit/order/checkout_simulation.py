"""Order, catalog, payment and the provider in one thread: the services' own rules and use cases, the sandbox's own
books, and between them a network and a scheduler that a seed decides.

Each service is a machine of its own. At every await another task of any of them may go on, a call may be lost before or
after its effect, be given up and arrive much later, or arrive twice; webhooks are dropped, doubled and shuffled; and
each service may be killed, which loses what it had not committed. Then everybody is well, and all books must agree.
"""

import functools
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any, cast
from uuid import UUID

from services.catalog.domain import reservations
from services.catalog.domain.reservations import Line
from services.catalog.domain.stock import Stock
from services.order.application.ports import PaymentPage
from services.order.application.progress import ProgressService
from services.order.application.refunding import RefundService, Wanted
from services.order.application.reporting import ReportService
from services.order.application.requests import Caller, RequestService
from services.order.domain.errors import InvalidRefund, OrderError, PaymentUnavailable
from services.order.domain.observations import OF_PAYMENT, OF_STOCK
from services.order.domain.orders import Address, Order, Payment, Shipment
from services.order.domain.states import FINAL, Command, Event, State
from services.payment.adapters import payment_messages, stripe_objects
from services.payment.adapters.stripe_webhooks import NEWS
from services.payment.application.advancing import AdvancingService, Stuck
from services.payment.application.events import Event as ProviderEvent
from services.payment.application.events import EventService
from services.payment.application.payments import PaymentService
from services.payment.application.ports import ProviderError, SeenPayment
from services.payment.application.record import Record, Terms
from services.payment.domain.errors import OverRefund, UnknownPayment
from services.payment.domain.payments import Goal
from services.payment.domain.payments import State as PaymentState
from services.payment.domain.refunds import Refund, RefundState
from tests.unit.order import parts
from tests.unit.order.checkout_stores import MemoryOrders, MemoryStock, Message
from tests.unit.order.simulation import NOW, SETTLED, Broken
from tests.unit.payment.simulated import Clock, Killed, Machine, MemoryPayments, Pause, SimulatedProvider

AMOUNT = 1000
TERMS = Terms(AMOUNT, "KRW", "1", None, "ko", "https://shop.test/1", "https://shop.test/2")
KEPT = frozenset((State.PAID, State.SHIPPED, State.DELIVERED))
VARIANTS = (UUID(int=1), UUID(int=2))

_GOALS: dict[Command, Any] = {
    Command.HOLD_STOCK: reservations.Goal.HELD,
    Command.COMMIT_STOCK: reservations.Goal.COMMITTED,
    Command.RELEASE_STOCK: reservations.Goal.RELEASED,
    Command.CAPTURE_PAYMENT: Goal.CAPTURE,
    Command.VOID_PAYMENT: Goal.VOID,
}


class CallFailed(Exception):  # noqa: N818  # named as the outcome that it is
    """No answer: nothing is known of what the call did."""


class Told(MemoryPayments):
    """Payment's store; what its order is to hear is written in the same transaction."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.reports: list[tuple[int, Record]] = []
        self._sequence = 0

    async def save(
        self, record: Record, was: Record | None, bookings: Any = (), *, ask: bool = False
    ) -> None:
        await super().save(record, was, bookings, ask=ask)
        if payment_messages.is_news(record, was):
            self._work().told.append(record)

    def committed(self, told: Sequence[Record]) -> None:
        for record in told:
            self._sequence += 1
            self.reports.append((self._sequence, record))


class Heard:
    """The events that payment heard."""

    def __init__(self, payments: MemoryPayments) -> None:
        self.payments = payments
        self._ids: set[str] = set()

    async def add(self, provider: str, event: ProviderEvent, now: Any, *, ask: bool) -> bool:
        await Pause()
        payments = self.payments
        new = event.id not in self._ids
        self._ids.add(event.id)
        if new and ask and event.order in payments.kept.records:
            payments.kept.messages.append((event.order, True))
        return new


class World:
    """`orders` orders of up to two variants, of which there is not enough for all."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = Random(seed)
        self.log: list[str] = []
        self.clock = Clock(NOW)
        self.healthy = False
        self.start = {variant: chance.randint(1, 8) for variant in VARIANTS}
        self.webhooks: list[str] = []
        self.late: list[tuple[str, Callable[[], Coroutine[Any, Any, Any]]]] = []
        self.pages: dict[UUID, str] = {}
        self.sent_back: Counter[UUID] = Counter()

        self.orders = MemoryOrders()
        self.stock = MemoryStock(
            {v: Stock(units, 0) for v, units in self.start.items()}, self._stock_is_freed
        )
        self.payments = Told(self.clock)
        self.provider = _Watched(self.clock, chance, self)
        self.machines = {
            "order": Machine(cast(Any, self.orders), chance),
            "catalog": Machine(cast(Any, self.stock), chance),
            "payment": Machine(self.payments, chance),
        }
        self._under_way: set[Any] = set()
        self._refunds = 0

        self.service = PaymentService(self.payments, "simulated", self.clock)
        self.advancing = AdvancingService(
            self.payments, self.provider, self.clock, session_lasts=timedelta(minutes=60)
        )
        self.events = EventService(Heard(self.payments), self.clock)
        orders = cast(Any, self.orders)
        shared = {"orders": orders, "work": orders, "clock": self.clock}
        self.progress = ProgressService(messages=orders, **shared)
        self.refunding = RefundService(
            refunds=orders, messages=orders, new_id=lambda: UUID(int=chance.getrandbits(128)), **shared
        )
        self.reporting = ReportService(
            orders=orders,
            refunds=orders,
            refunding=self.refunding,
            messages=orders,
            progress=self.progress,
            work=orders,
        )
        self.requests = RequestService(
            refunds=orders,
            progress=self.progress,
            messages=orders,
            payments=cast(Any, _Pages(self)),
            **shared,
        )
        self.lines: dict[UUID, Sequence[Line]] = {}
        for number in range(chance.randint(1, 3)):
            self._place(UUID(int=100 + number))

    def say(self, text: str) -> None:
        self.log.append(text)

    def _place(self, id_: UUID) -> None:
        wanted = self.chance.sample(VARIANTS, self.chance.randint(1, 2))
        self.lines[id_] = [Line(each, self.chance.randint(1, 2)) for each in wanted]
        self.machines["order"].start(self.orders.place(_order(id_)), self._whatever)
        while self.machines["order"].busy:
            self.machines["order"].step()

    # ----- The network

    async def call(self, peer: str, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """What the peer answers. Raises CallFailed; the peer may do it all the same, now, later, or twice."""
        await Pause()
        if self._happens(0.08):
            raise CallFailed("lost on its way")
        if self._happens(0.06):
            self.late.append((peer, make))
            raise CallFailed("it comes when nobody waits for it any more")
        answer: list[Any] = []
        self.machines[peer].start(make(), answer.append)
        if self._happens(0.05):
            self.machines[peer].start(make(), self._whatever)
        patience = 10_000 if self.healthy or self.chance.random() < 0.8 else self.chance.randint(0, 30)
        while not answer:
            if patience == 0:
                raise CallFailed("given up")
            patience -= 1
            await Pause()
        if self._happens(0.08):
            raise CallFailed("the answer was lost")
        if isinstance(answer[0], Exception):
            raise CallFailed from answer[0]
        return answer[0]

    def _happens(self, share: float) -> bool:
        return not self.healthy and self.chance.random() < share

    # ----- The outboxes: the first message of an aggregate, until its answer is taken

    def _deliver_of_order(self) -> None:
        firsts: dict[str, Message] = {}
        for message in self.orders.kept.messages:
            firsts.setdefault(message.aggregate, message)
        due = [each for each in firsts.values() if each.aggregate not in self._under_way]
        if due:
            message = self.chance.choice(due)
            self._attempt("order", message.aggregate, self._to_peer(message))

    async def _to_peer(self, message: Message) -> None:
        order = message.order
        if message.peer == "catalog":
            state = await self.call(
                "catalog", lambda: self.stock.pursue(order, _GOALS[message.what], self.lines[order])
            )
            self.say(f"order {order.int}: {message.what.value}: stock is {state.value}")
            await self.progress.apply(order, OF_STOCK[state.value])
        elif isinstance(message.what, Command):
            goal = _GOALS[message.what]
            record = await self.call("payment", lambda: self.service.want(order, TERMS, goal, message.number))
            await self._payment_is(order, record.payment.state)
        else:
            refund, amount = message.what
            state = await self.call("payment", lambda: self._admit(order, refund, amount))
            await self.refunding.settle(order, refund, state)
        self.orders.kept.messages.remove(message)

    async def _admit(self, order: UUID, refund: UUID, amount: int) -> str:
        try:
            record = await self.service.refund(order, Refund(id=refund, amount=amount, reason=""))
        except OverRefund:
            return "failed"
        found = record.refund(refund)
        assert found is not None
        return found.state.value

    async def _payment_is(self, order: UUID, state: PaymentState) -> None:
        if (event := OF_PAYMENT[state.value]) is not None:
            await self.progress.apply(order, event)

    def _deliver_of_payment(self) -> None:
        """Both outboxes of payment: what the provider is to do, and what order is to hear."""
        provider = [m for m in self.payments.kept.messages if ("provider", m[0]) not in self._under_way]
        if provider and self.chance.random() < 0.6:
            message = self.chance.choice(provider)
            self._attempt("payment", ("provider", message[0]), self._to_provider(message))
            return
        firsts: dict[UUID, tuple[int, Record]] = {}
        for sequence, record in self.payments.reports:
            firsts.setdefault(record.order, (sequence, record))
        reports = [each for each in firsts.values() if ("report", each[1].order) not in self._under_way]
        if reports:
            report = self.chance.choice(reports)
            self._attempt("payment", ("report", report[1].order), self._to_order(report))

    async def _to_provider(self, message: tuple[UUID, bool]) -> None:
        await self.advancing.advance(message[0], refresh=message[1])
        self.payments.kept.messages.remove(message)

    async def _to_order(self, report: tuple[int, Record]) -> None:
        sequence, record = report
        seen = payment_messages.view(record)
        payment = Payment(
            state=seen.state,
            authorised=seen.authorised,
            captured=seen.captured,
            refunded=seen.refunded,
            refund_pending=seen.refund_pending,
        )
        refunds = [(each.refund_id, each.state) for each in seen.refunds]
        await self.call("order", lambda: self.reporting.report(record.order, payment, refunds, sequence))
        self.payments.reports.remove(report)

    def _attempt(self, machine: str, name: Any, task: Coroutine[Any, Any, Any]) -> None:
        self._under_way.add(name)

        def then(outcome: object) -> None:
            self._under_way.discard(name)
            self._whatever(outcome)

        self.machines[machine].start(task, then)

    @staticmethod
    def _whatever(outcome: object) -> None:
        """Expected of a call in a storm; what is not is a fault of the rules."""
        expected = (CallFailed, Killed, ProviderError, Stuck, OrderError, UnknownPayment, InvalidRefund)
        if isinstance(outcome, Exception) and not isinstance(outcome, expected):
            raise outcome

    # ----- What people, clocks and networks do

    def run(self) -> None:
        for _ in range(self.chance.randint(40, 260)):
            self._happen()
            for _ in range(self.chance.randint(0, 14)):
                self._step()
        self._heal()
        self._check()

    def _step(self) -> None:
        busy = [machine for machine in self.machines.values() if machine.busy]
        if busy:
            self.chance.choice(busy).step()

    def _happen(self) -> None:
        order = self.chance.choice(list(self.lines))
        events: dict[Callable[[], None], int] = {
            self._deliver_of_order: 40,
            self._deliver_of_payment: 40,
            functools.partial(self._pay, order): 20,
            functools.partial(self._card, order): 24,
            functools.partial(self._ask, order, Event.CANCEL_REQUESTED): 1,
            functools.partial(self._ask, order, Event.HOLD_EXPIRED): 1,
            functools.partial(self._ship, order): 2,
            functools.partial(self._refund, order): 8,
            self._bank: 2,
            self._webhook: 14,
            self._arrives_late: 4,
            self._kill: 4,
            self._time: 3,
        }
        self.chance.choices(list(events), list(events.values()))[0]()

    def _ask(self, order: UUID, event: Event) -> None:
        self.machines["order"].start(self.progress.apply(order, event), self._whatever)

    def _ship(self, order: UUID) -> None:
        shipment = Shipment(carrier="CJ", tracking_number="1", at=self.clock())
        self.machines["order"].start(
            self.requests.ship(Caller(None, is_admin=True), order, shipment, None), self._whatever
        )

    def _pay(self, order: UUID) -> None:
        def then(outcome: object) -> None:
            if isinstance(outcome, PaymentPage) and outcome.url:
                self.pages[order] = outcome.url
            self._whatever(outcome)

        self.machines["order"].start(self.requests.pay(Caller(_OWNER), order), then)

    def _card(self, order: UUID) -> None:
        if order in self.pages:
            refused = self.chance.random() < 0.2
            held = self.stock.reservations.get(order)
            if self.provider.shopper_pays(self.pages[order], refused=refused):
                self.say(f"shopper {order.int}: pays")
                if held is not reservations.State.HELD:
                    raise Broken(f"order {order.int} is paid, its stock is {held}")

    def _refund(self, order: UUID) -> None:
        wanted = Wanted(
            lines={}, shipping=False, amount=self.chance.choice((1, 400, AMOUNT)), reason="other", note=""
        )
        self.machines["order"].start(
            self.refunding.refund(order, wanted, actor="", versions=None), self._whatever
        )

    def _bank(self) -> None:
        """The shopper's bank sends a refund back that the provider has made, as a closed account's does weeks later."""
        asked_for = {str(id_) for id_ in self.orders.kept.refunds}
        made = [
            refund
            for refund in self.provider.all_refunds()
            if refund["status"] == "succeeded" and refund["metadata"]["refund_id"] in asked_for
        ]
        if made:
            refund = self.chance.choice(made)
            self.say(f"the bank sends {refund['id']} back")
            charged = self.provider.account.intent(refund["payment_intent"])
            self.sent_back[UUID(charged["metadata"]["order_id"])] += refund["amount"]
            self.provider.account.settle_refund(refund["id"], "failed")

    def _webhook(self) -> None:
        """One is delivered, is lost, or stays to come again."""
        if not self.webhooks:
            return
        id_ = self.chance.choice(self.webhooks)
        if self.chance.random() < 0.7:
            self.webhooks.remove(id_)
        if self.chance.random() < 0.8:
            sent = self.provider.books.get("event", id_)
            assert sent is not None
            order, objects = stripe_objects.named_by(sent)
            event = ProviderEvent(id_, sent["type"], order, tuple(objects), news=sent["type"] in NEWS)
            self.machines["payment"].start(self.events.hear("simulated", event), self._whatever)

    def _arrives_late(self) -> None:
        if self.late:
            peer, make = self.late.pop(self.chance.randrange(len(self.late)))
            self.machines[peer].start(make(), self._whatever)

    def _kill(self) -> None:
        name = self.chance.choice(list(self.machines))
        self.say(f"{name} is killed")
        self.machines[name].kill()

    def _time(self) -> None:
        """No attempt lasts longer than 20 s: the outbox ends it."""
        seconds = self.chance.choice((1, 1, 40, 1900))
        if seconds > 20:
            for machine in self.machines.values():
                machine.kill()
        self.clock.now += timedelta(seconds=seconds)
        self.provider.account.expire_due()

    def _stock_is_freed(self, order: UUID) -> None:
        """What a bank sends back afterwards is given back again, and holds no stock meanwhile."""
        if self.provider.money_of(order, but=self.sent_back[order]):
            raise Broken(f"stock of order {order.int} is free while there is money in it")

    def close(self) -> None:
        for machine in self.machines.values():
            machine.kill()
        self.provider.close()

    # ----- The end

    def _heal(self) -> None:
        self.healthy, self.provider.faulty = True, False
        while self.late:
            self._arrives_late()
        self._drain()
        for _ in range(60):
            self.clock.now += timedelta(seconds=60)
            self.provider.settle_refunds("succeeded")
            for order in self.lines:
                self._ask(order, Event.HOLD_EXPIRED)
            for order in self.payments.kept.records:
                self.machines["payment"].start(self.service.refresh(order), self._whatever)
            self._drain()
            for _ in range(400):
                self._deliver_of_order()
                self._deliver_of_payment()
                self._drain()
                if not self._waiting():
                    break
            if self._quiet():
                return
        raise Broken(f"it goes on for ever: {self._waiting()}")

    def _drain(self) -> None:
        while any(machine.busy for machine in self.machines.values()):
            self._step()

    def _waiting(self) -> int:
        return len(self.orders.kept.messages) + len(self.payments.kept.messages) + len(self.payments.reports)

    def _quiet(self) -> bool:
        refunds = [refund for record in self.payments.kept.records.values() for refund in record.refunds]
        settled = all(order.state in SETTLED for order in self.orders.kept.orders.values())
        return (
            settled
            and not self._waiting()
            and not any(refund.state is RefundState.PENDING for refund in refunds)
            and not any(each.state in {"asked", "pending"} for _, each in self.orders.kept.refunds.values())
        )

    def _check(self) -> None:
        for wrong in (*self.stock.wrong, *self.orders.wrong):
            raise Broken(wrong)
        sold = dict.fromkeys(VARIANTS, 0)
        for id_, order in self.orders.kept.orders.items():
            self._check_order(id_, order)
            for line in self.lines[id_] if order.state in KEPT else ():
                sold[line.variant] += line.quantity
        for variant, stock in self.stock.stock.items():
            if stock != Stock(self.start[variant] - sold[variant], 0):
                raise Broken(f"stock of {variant.int} is {stock} of {self.start[variant]}")
        for of, refund in self.orders.kept.refunds.values():
            record = self.payments.kept.records.get(of)
            other = record.refund(refund.id) if record else None
            if (refund.state == "done") != (other is not None and other.state is RefundState.DONE):
                raise Broken(f"refund of order {of.int} is {refund.state}, payment's {other}")
        for of, events in self._timelines().items():
            if any(before in FINAL and before is not after for before, after in pairwise(events)):
                raise Broken(f"order {of.int} went on after its end: {events}")

    def _check_order(self, id_: UUID, order: Order) -> None:
        captured, refunded = self.provider.sums_of(id_)
        given = sum(
            refund.amount
            for of, refund in self.orders.kept.refunds.values()
            if of == id_ and refund.state == "done"
        )
        left, kept = captured - refunded, order.state in KEPT
        if captured not in {0, AMOUNT} or left != (AMOUNT - given if kept else 0):
            raise Broken(
                f"order {id_.int} is {order.state.value}: {captured} collected, {refunded} given back"
            )
        if not kept and self.provider.money_of(id_):
            raise Broken(f"order {id_.int} is {order.state.value} and could still be paid")
        if (self.stock.reservations.get(id_) is reservations.State.COMMITTED) != kept:
            raise Broken(
                f"order {id_.int} is {order.state.value}, its stock {self.stock.reservations.get(id_)}"
            )
        if (order.payment.captured, order.payment.refunded) != (captured, refunded):
            raise Broken(f"order {id_.int} was told {order.payment}; it is {captured}, {refunded}")

    def _timelines(self) -> dict[UUID, list[State]]:
        found: dict[UUID, list[State]] = {}
        for id_, event in self.orders.kept.events:
            if not event.event.startswith("refund_"):
                found.setdefault(id_, []).append(State(event.state))
        return found


class _Watched(SimulatedProvider):
    """Announces webhooks, and sees that no money is collected before its stock is sold."""

    def __init__(self, clock: Clock, chance: Random, world: World) -> None:
        super().__init__(clock, chance)
        self._world = world
        self.account._announce = lambda event, _: world.webhooks.append(event)

    async def capture(self, id_: str, key: str) -> SeenPayment:
        order = UUID(self.account.intent(id_)["metadata"]["order_id"])
        if self._world.stock.reservations.get(order) is not reservations.State.COMMITTED:
            raise Broken(f"money of order {order.int} is collected before its stock is sold")
        return await super().capture(id_, key)

    def sums_of(self, order: UUID) -> tuple[int, int]:
        mine = [each for each in self.all_intents() if each["metadata"]["order_id"] == str(order)]
        return sum(each["amount_received"] for each in mine), sum(
            (each["latest_charge"] or {}).get("amount_refunded", 0) for each in mine
        )

    def money_of(self, order: UUID, *, but: int = 0) -> bool:
        """Whether there is any beside `but`, or could come any more."""
        captured, refunded = self.sums_of(order)
        promised = any(
            each["status"] == "requires_capture" and each["metadata"]["order_id"] == str(order)
            for each in self.all_intents()
        )
        # A page whose address nobody was ever told cannot be paid on.
        shown = self._world.pages.get(order, "").rpartition("/")[2]
        page = self.books.get("checkout.session", shown)
        return captured - but > refunded or promised or (page is not None and page["status"] == "open")


class _Pages:
    """Order's call of payment for the page on which the shopper pays, as payment answers it."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def page(self, order: Order) -> PaymentPage:
        async def answer() -> Record:
            if begun := await self._world.service.begin(order.id, TERMS, None):
                return await self._world.advancing.open(*begun)
            record = await self._world.service.want(order.id, TERMS, Goal.AUTHORISE, None, opens=True)
            if record.payment.state in {PaymentState.NEW, PaymentState.SESSION_OPEN}:
                refresh = record.payment.state is PaymentState.SESSION_OPEN
                record = await self._world.advancing.advance(order.id, refresh=refresh) or record
            return record

        try:
            record = await self._world.call("payment", answer)
        except CallFailed as fault:
            raise PaymentUnavailable from fault
        return PaymentPage(state=record.payment.state.value, url=record.session_url)


_OWNER = UUID(int=7)


def _order(id_: UUID) -> Order:
    return Order(
        id=id_,
        number=id_.int,
        owner=_OWNER,
        guest=False,
        email="kim@shop.test",
        lang="ko",
        state=State.PLACED,
        reason=None,
        version=1,
        currency="KRW",
        items=AMOUNT,
        shipping=0,
        tax=0,
        address=Address(recipient="", phone="", line1="", line2="", city="", postal_code="", country="KR"),
        lines=(parts.line(1, 1, AMOUNT, 0),),
        payment=Payment(),
        hold_until=NOW,
        placed_at=NOW,
        updated_at=NOW,
    )


def outcome(seed: int) -> tuple[str | None, World]:
    """What broke with this seed, if anything; run it again to see how: `world.log` says."""
    world = World(seed)
    try:
        world.run()
    except (Broken, AssertionError) as fault:
        return f"{type(fault).__name__} {fault}", world
    finally:
        world.close()
    return None, world
