"""The pool and its transactions, under the failures that servers meet."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest
from piccolo.columns import Text
from piccolo.table import Table
from prometheus_client import CollectorRegistry

from services.chassis.errors import Unavailable
from services.chassis.postgres import Database, database, engine, outages
from tests.waiting import WITHIN


class Effect(Table, tablename="effect"):
    name = Text(primary_key=True)


async def count(database: Database) -> int:
    async with database.transaction() as connection:
        found: int = await connection.fetchval("SELECT count(*) FROM effect")
        return found


async def test_a_transaction_keeps_all_or_nothing_of_both_ways_to_query(database: Database) -> None:
    database.bind(Effect)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await Effect.insert(Effect(name="by piccolo"))
            await connection.execute("INSERT INTO effect VALUES ('by sql')")
            raise ZeroDivisionError
    assert await count(database) == 0
    async with database.transaction():
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO effect VALUES ('inner')")
        await Effect.insert(Effect(name="outer"))
    assert await count(database) == 2


async def test_concurrent_transactions_do_not_see_each_other(database: Database) -> None:
    async def insert(fail: bool) -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO effect VALUES ('x')")
            await asyncio.sleep(0.01)
            if fail:
                raise ZeroDivisionError

    await asyncio.gather(*(insert(n % 2 == 0) for n in range(20)), return_exceptions=True)
    assert await count(database) == 10


async def test_a_statement_that_takes_too_long_is_ended_and_is_an_outage(database: Database) -> None:
    with pytest.raises(Unavailable):
        async with database.transaction() as connection:
            await connection.execute("SELECT pg_sleep(10)")
    assert await count(database) == 0


async def test_a_full_pool_refuses_in_time_and_recovers(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, held = asyncio.Event(), asyncio.Semaphore(0)

    async def hold() -> None:
        async with database.transaction():
            held.release()
            await release.wait()

    holders = [asyncio.create_task(hold()) for _ in range(6)]
    for _ in holders:
        await held.acquire()
    monkeypatch.setattr(engine, "ACQUIRE_TIMEOUT_S", 0.1)
    with pytest.raises(Unavailable):
        await database.check()
    release.set()
    await asyncio.gather(*holders)
    monkeypatch.undo()
    await database.check()


async def test_connections_that_the_server_ended_are_replaced_and_none_is_kept(database: Database) -> None:
    async def die() -> None:
        async with database.transaction() as connection:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    for _ in range(3):
        outcomes = await asyncio.gather(*(die() for _ in range(6)), return_exceptions=True)
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    await asyncio.gather(*(database.check() for _ in range(6)))


async def test_a_cancelled_transaction_is_rolled_back_and_gives_its_connection_back(
    database: Database,
) -> None:
    async def linger() -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO effect VALUES ('never')")
            await asyncio.sleep(60)

    tasks = [asyncio.create_task(linger()) for _ in range(6)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await count(database) == 0


async def test_a_wrong_argument_is_a_fault_and_no_outage(database: Database) -> None:
    with pytest.raises(Exception, match="invalid input") as caught:
        async with database.transaction() as connection:
            await connection.fetchval("SELECT $1::int", "text")
    assert not isinstance(caught.value, Unavailable)


async def test_a_database_that_is_not_there_yet_is_waited_for(
    new_postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "START_TIMEOUT_S", 0.2)
    absent = Database("postgresql://nobody:x@127.0.0.1:1/none", application="test")
    with pytest.raises(OSError):
        async with absent.lifespan():
            pass


async def test_a_statement_that_a_migration_voided_is_an_outage_of_a_moment(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.fetch("SELECT * FROM effect")
        await connection.execute("ALTER TABLE effect ADD COLUMN more text")
        with pytest.raises(Unavailable), outages.outage_as_unavailable():
            await connection.fetch("SELECT * FROM effect")


async def server_process(database: Database) -> int:
    (row,) = await database.fetch("SELECT pg_backend_pid() AS number")
    number: int = row["number"]
    return number


async def test_a_connection_is_given_out_again_and_goes_back_to_the_pool_when_nobody_needs_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for connection in database.engine.at_hand.all():
        await database.engine.release(connection)
    monkeypatch.setattr("services.chassis.postgres.at_hand.KEPT_S", 0.05)
    first = await server_process(database)
    async with database.transaction():
        assert await server_process(database) == first
    pool, at_hand = database.engine.pool, database.engine.at_hand
    assert pool is not None
    assert (len(at_hand), pool.get_idle_size()) == (1, 0)
    async with asyncio.timeout(WITHIN):
        while pool.get_idle_size() == 0:
            await asyncio.sleep(0.01)
    assert len(at_hand) == 0
    assert await server_process(database) == first


async def test_every_connection_that_is_given_is_counted_whether_or_not_it_was_at_hand(
    new_postgres_database: Callable[[], str],
) -> None:
    registry = CollectorRegistry()
    database = Database(new_postgres_database(), application="test", registry=registry)
    async with database.lifespan():
        for _ in range(3):
            await server_process(database)
    assert registry.get_sample_value("postgres_connection_wait_seconds_count") == 3


async def test_whoever_waits_for_the_pool_gets_what_is_given_back(database: Database) -> None:
    async def sleep() -> None:
        async with database.transaction() as connection:
            await connection.execute("SELECT pg_sleep(0.02)")

    await asyncio.gather(*(sleep() for _ in range(40)))
    assert len(database.engine.at_hand) > 0


async def test_the_pool_makes_sure_of_a_connection_on_which_something_went_wrong(
    database: Database,
) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        await database.fetch("SELECT 1 / 0")
    assert len(database.engine.at_hand) == 0
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            raise ZeroDivisionError
    assert len(database.engine.at_hand) == 0
    assert await count(database) == 0


async def test_the_pool_sees_a_connection_now_and_then(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SEEN_BY_POOL_EVERY", 3)
    kept = []
    for _ in range(6):
        await count(database)
        kept.append(len(database.engine.at_hand))
    assert sorted(kept) == [0, 0, 1, 1, 1, 1]
