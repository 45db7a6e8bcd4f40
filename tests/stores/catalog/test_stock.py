"""Stock is never sold twice, never freed twice, and always what journal and reservations add up to."""

import ast
import asyncio
import inspect
from collections.abc import Callable
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.catalog.adapters import stock_postgres
from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.application.stock import Adjustment
from services.catalog.domain.errors import BelowReserved, OtherLines, UnknownVariant
from services.catalog.domain.reservations import Goal, Line, Shortage, State, combined
from services.catalog.domain.stock import Stock
from services.chassis.errors import Unavailable
from services.chassis.postgres import Database
from tests.stores.catalog.shelves import NOW, Shelves

NewOrder = Callable[[], UUID]


async def test_a_reservation_is_held_then_sold(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    shoes, order = await shelves.variant(5), new_order()
    lines = combined([Line(shoes, 2)])
    assert (await stock.pursue(order, Goal.HELD, lines, NOW)).state is State.HELD
    assert await shelves.of(shoes) == Stock(5, 2)
    assert (await stock.pursue(order, Goal.COMMITTED, lines, NOW)).state is State.COMMITTED
    assert await shelves.of(shoes) == Stock(3, 0)
    assert await stock.differences() == []


async def test_too_little_of_one_line_takes_nothing_of_any(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    many, one, order = await shelves.variant(5), await shelves.variant(1), new_order()
    lines = combined([Line(many, 1), Line(one, 2)])
    outcome = await stock.pursue(order, Goal.HELD, lines, NOW)
    assert (outcome.state, outcome.short) == (State.SOLD_OUT, (Shortage(one, 1),))
    assert await shelves.of(many) == Stock(5, 0)
    assert (await stock.pursue(order, Goal.HELD, lines, NOW)).state is State.SOLD_OUT


async def test_a_variant_that_never_was_is_sold_out(
    stock: PostgresStock, database: Database, new_order: NewOrder
) -> None:
    unknown = uuid4()
    outcome = await stock.pursue(new_order(), Goal.HELD, combined([Line(unknown, 1)]), NOW)
    assert (outcome.state, outcome.short) == (State.SOLD_OUT, (Shortage(unknown, 0),))


async def test_a_release_before_its_hold_leaves_a_tombstone(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    shoes, order = await shelves.variant(5), new_order()
    lines = combined([Line(shoes, 2)])
    assert (await stock.pursue(order, Goal.RELEASED, lines, NOW)).state is State.RELEASED
    assert (await stock.pursue(order, Goal.HELD, lines, NOW)).state is State.RELEASED
    assert await shelves.of(shoes) == Stock(5, 0)


async def test_what_was_sold_comes_back_once(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    shoes, order = await shelves.variant(5), new_order()
    lines = combined([Line(shoes, 2)])
    await stock.pursue(order, Goal.COMMITTED, lines, NOW)
    assert await shelves.of(shoes) == Stock(3, 0)
    for _ in range(2):
        assert (await stock.pursue(order, Goal.RELEASED, lines, NOW)).state is State.RELEASED
    assert await shelves.of(shoes) == Stock(5, 0)
    assert await stock.differences() == []


async def test_an_order_with_other_lines_is_refused(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    shoes, order = await shelves.variant(5), new_order()
    await stock.pursue(order, Goal.HELD, combined([Line(shoes, 2)]), NOW)
    with pytest.raises(OtherLines):
        await stock.pursue(order, Goal.COMMITTED, combined([Line(shoes, 3)]), NOW)
    assert await shelves.of(shoes) == Stock(5, 2)


async def test_hazard_1_five_hundred_buyers_get_three_hundred_units(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    hot = await shelves.variant(300)
    lines = combined([Line(hot, 1)])
    outcomes = await asyncio.gather(*(_patiently(stock, new_order(), lines) for _ in range(500)))
    assert outcomes.count(State.HELD) == 300
    assert outcomes.count(State.SOLD_OUT) == 200
    assert await shelves.of(hot) == Stock(300, 300)
    assert await stock.differences() == []


async def test_carts_that_cross_do_not_block_each_other(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    first, second = await shelves.variant(1000), await shelves.variant(1000)
    carts = [combined([Line(a, 1), Line(b, 1)]) for a, b in [(first, second), (second, first)] * 50]
    states = await asyncio.gather(*(_patiently(stock, new_order(), lines) for lines in carts))
    assert set(states) == {State.HELD}
    assert await shelves.of(first) == await shelves.of(second) == Stock(1000, 100)


async def test_repeats_at_once_hold_once(stock: PostgresStock, shelves: Shelves, new_order: NewOrder) -> None:
    shoes, order = await shelves.variant(100), new_order()
    lines = combined([Line(shoes, 3)])
    await asyncio.gather(*(_patiently(stock, order, lines) for _ in range(20)))
    assert await shelves.of(shoes) == Stock(100, 3)


async def test_hazard_3_the_database_itself_refuses_to_oversell(database: Database, shelves: Shelves) -> None:
    shoes = await shelves.variant(1)
    with pytest.raises(asyncpg.CheckViolationError):
        async with database.transaction() as connection:
            await connection.execute("UPDATE stock SET reserved = 2 WHERE variant_id = $1", shoes)


async def test_hazard_7_an_order_is_not_blocked_by_its_own_hold(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    last, order = await shelves.variant(1), new_order()
    lines = combined([Line(last, 1)])
    for _ in range(3):
        assert (await stock.pursue(order, Goal.HELD, lines, NOW)).state is State.HELD
    assert (await stock.pursue(new_order(), Goal.HELD, lines, NOW)).state is State.SOLD_OUT
    assert await shelves.of(last) == Stock(1, 1)


async def test_hazard_9_what_is_held_can_be_sold_whatever_others_buy(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    last, paying = await shelves.variant(1), new_order()
    lines = combined([Line(last, 1)])
    await stock.pursue(paying, Goal.HELD, lines, NOW)
    # An order whose hold was lost on the way is told before its money is taken.
    assert (await stock.pursue(new_order(), Goal.COMMITTED, lines, NOW)).state is State.SOLD_OUT
    assert (await stock.pursue(paying, Goal.COMMITTED, lines, NOW)).state is State.COMMITTED
    assert await shelves.of(last) == Stock(0, 0)


def test_hazard_5_nothing_but_the_database_is_asked_while_stock_is_locked() -> None:
    """Each await within a transaction is the connection's, or one of this module's own steps that are given it. The
    outbox is the database too."""
    module = ast.parse(inspect.getsource(stock_postgres))
    steps = {node.name for node in module.body if isinstance(node, ast.AsyncFunctionDef)}
    steps |= {"self._shown_otherwise"}  # writes to the outbox
    inside = [
        node.value
        for block in ast.walk(module)
        if isinstance(block, ast.AsyncWith | ast.AsyncFunctionDef)
        and (isinstance(block, ast.AsyncWith) or block.name in steps)
        for node in ast.walk(block)
        if isinstance(node, ast.Await)
    ]
    assert len(inside) >= 10
    for awaited in inside:
        assert isinstance(awaited, ast.Call)
        called = ast.unparse(awaited.func)
        assert called in steps or called.startswith("connection."), called


async def test_an_adjustment_never_takes_what_is_promised(
    stock: PostgresStock, shelves: Shelves, new_order: NewOrder
) -> None:
    shoes = await shelves.variant(5)
    await stock.pursue(new_order(), Goal.HELD, combined([Line(shoes, 3)]), NOW)
    with pytest.raises(BelowReserved):
        await stock.adjust(shoes, Adjustment(-3, "count", "", "tests"), NOW)
    assert await stock.adjust(shoes, Adjustment(-2, "count", "", "tests"), NOW) == Stock(3, 3)
    with pytest.raises(UnknownVariant):
        await stock.adjust(uuid4(), Adjustment(1, "count", "", "tests"), NOW)


async def test_the_audit_names_what_does_not_add_up(
    stock: PostgresStock, database: Database, shelves: Shelves
) -> None:
    shoes = await shelves.variant(5)
    async with database.transaction() as connection:
        await connection.execute("UPDATE stock SET on_hand = 6, reserved = 1 WHERE variant_id = $1", shoes)
    (difference,) = await stock.differences()
    assert (difference.stock, difference.proven) == (Stock(6, 1), Stock(5, 0))
    async with database.transaction() as connection:
        await connection.execute("UPDATE stock SET on_hand = 5, reserved = 0 WHERE variant_id = $1", shoes)


async def test_the_journal_is_append_only(database: Database, shelves: Shelves) -> None:
    await shelves.variant(5)
    with pytest.raises(asyncpg.RaiseError):
        async with database.transaction() as connection:
            await connection.execute("DELETE FROM stock_journal")


async def _patiently(stock: PostgresStock, order: UUID, lines: tuple[Line, ...]) -> State:
    """As the order service does: it asks again where the database had no connection free in time."""
    while True:
        try:
            return (await stock.pursue(order, Goal.HELD, lines, NOW)).state
        except Unavailable:
            await asyncio.sleep(0.05)
