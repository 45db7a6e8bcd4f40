"""Reserve, commit and release in every order and repeated: the real database does what a model of ten lines does.

Hazards 1, 2, 7 and 8: one transaction, a hold that belongs to its order, nothing freed twice, nothing below zero.
"""

import asyncio
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.application.stock import Adjustment
from services.catalog.commands import MIGRATIONS
from services.catalog.domain.errors import BelowReserved
from services.catalog.domain.reservations import Goal, Line, State, combined
from services.catalog.domain.stock import Stock
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from tests.stores.catalog.shelves import NOW, Shelves

T = TypeVar("T")
VARIANTS = 3
ORDERS = 4


class Model:
    """What ought to become of it."""

    def __init__(self) -> None:
        self.on_hand = [0] * VARIANTS
        self.states: dict[int, State] = {}
        self.lines: dict[int, dict[int, int]] = {}

    def reserved(self, variant: int) -> int:
        return sum(
            self.lines[order].get(variant, 0) for order, state in self.states.items() if state is State.HELD
        )

    def fits(self, order: int) -> bool:
        return all(
            self.on_hand[variant] - self.reserved(variant) >= units
            for variant, units in self.lines[order].items()
        )

    def move(self, order: int, sign: int) -> None:
        for variant, units in self.lines[order].items():
            self.on_hand[variant] += sign * units

    def pursue(self, order: int, goal: Goal) -> State:
        present = self.states.get(order)
        if goal is Goal.RELEASED:
            if present is State.COMMITTED:
                self.move(order, 1)
            self.states[order] = State.RELEASED
        elif present is None:
            enough = self.fits(order)
            self.states[order] = State(goal.value) if enough else State.SOLD_OUT
            if enough and goal is Goal.COMMITTED:
                self.move(order, -1)
        elif present is State.HELD and goal is Goal.COMMITTED:
            self.states[order] = State.COMMITTED
            self.move(order, -1)
        return self.states[order]


class World:
    """The database, in a loop of its own thread: the machine's rules are not coroutines."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._finish = self.run(self._make_event())
        self.database = Database(url, application="reservation machine", pool_max=4)
        self.stock = PostgresStock(self.database)
        self.shelves = Shelves(self.database, self.stock)
        opened = self.run(self._make_event())
        self._living = asyncio.run_coroutine_threadsafe(self._live(opened), self._loop)
        self.run(opened.wait())

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._finish.set)
        self._living.result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _make_event(self) -> asyncio.Event:
        return asyncio.Event()

    async def _live(self, opened: asyncio.Event) -> None:
        async with self.database.lifespan():
            await migrate(self.database, *MIGRATIONS)
            opened.set()
            await self._finish.wait()


class Reservations(RuleBasedStateMachine):
    world: World

    @initialize(
        on_hand=st.lists(st.integers(0, 6), min_size=VARIANTS, max_size=VARIANTS),
        wishes=st.lists(
            st.dictionaries(st.integers(0, VARIANTS - 1), st.integers(1, 4), min_size=1),
            min_size=ORDERS,
            max_size=ORDERS,
        ),
    )
    def stocked(self, on_hand: list[int], wishes: list[dict[int, int]]) -> None:
        self.model = Model()
        self.variants = [self.world.run(self.world.shelves.variant(units)) for units in on_hand]
        self.model.on_hand = list(on_hand)
        self.orders: list[UUID] = [uuid4() for _ in wishes]
        self.model.lines = dict(enumerate(wishes))

    @rule(order=st.integers(0, ORDERS - 1), goal=st.sampled_from(Goal), repeats=st.integers(1, 3))
    def pursue(self, order: int, goal: Goal, repeats: int) -> None:
        """`repeats` at once: a message that is delivered again while the first is under way."""
        expected = self.model.pursue(order, goal)
        lines = combined(
            [Line(self.variants[variant], units) for variant, units in self.model.lines[order].items()]
        )

        async def all_at_once() -> list[State]:
            calls = (self.world.stock.pursue(self.orders[order], goal, lines, NOW) for _ in range(repeats))
            return [outcome.state for outcome in await asyncio.gather(*calls)]

        assert self.world.run(all_at_once()) == [expected] * repeats

    @rule(variant=st.integers(0, VARIANTS - 1), change=st.integers(-3, 3).filter(bool))
    def adjust(self, variant: int, change: int) -> None:
        after = self.model.on_hand[variant] + change
        adjustment = Adjustment(change, "count", "", "machine")
        call: Callable[[], Stock] = lambda: self.world.run(  # noqa: E731
            self.world.stock.adjust(self.variants[variant], adjustment, NOW)
        )
        if after < self.model.reserved(variant):
            try:
                call()
            except BelowReserved:
                return
            raise AssertionError("it went below what is promised")
        self.model.on_hand[variant] = after
        assert call() == Stock(after, self.model.reserved(variant))

    @invariant()
    def as_the_model_says(self) -> None:
        for index, variant in enumerate(getattr(self, "variants", ())):
            stock = self.world.run(self.world.shelves.of(variant))
            assert stock == Stock(self.model.on_hand[index], self.model.reserved(index))

    def teardown(self) -> None:
        assert self.world.run(self.world.stock.differences()) == []


def test_hazards_2_and_8_any_order_of_messages_ends_as_the_model_does(postgres_url: str) -> None:
    world = World(postgres_url)
    machine = type("Machine", (Reservations,), {"world": world})
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=40,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            ),
        )
    finally:
        world.close()
