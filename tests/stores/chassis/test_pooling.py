"""Behind PgBouncer everything works as straight at PostgreSQL, in session and in transaction mode."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec
import pytest
from piccolo.columns import Text
from piccolo.table import Table

from devstack.postgres import Postgres
from services.chassis.errors import Unavailable
from services.chassis.migrations import CHASSIS, migrate
from services.chassis.outbox import store
from services.chassis.postgres import Database
from tests.stores import bouncer


class Effect(Table, tablename="effect"):
    name = Text(primary_key=True)


class Body(msgspec.Struct):
    name: str


@pytest.fixture(
    scope="module", params=["session", "transaction", "transaction that ignores startup parameters"]
)
def pooler(request: pytest.FixtureRequest, postgres_server: Postgres) -> Iterator[int]:
    mode, _, lenient = request.param.partition(" ")
    ignored = "ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout"
    with bouncer.running(postgres_server, mode, *([ignored] if lenient else [])) as port:
        yield port


@pytest.fixture
async def database(
    pooler: int, postgres_server: Postgres, new_postgres_database: Callable[[], str]
) -> AsyncIterator[Database]:
    url = new_postgres_database().replace(f":{postgres_server.port}/", f":{pooler}/")
    database = Database(url, application="test", pool_max=8, statement_timeout=2)
    async with database.lifespan():
        await migrate(database, CHASSIS)
        database.bind(Effect)
        await database.fetch("CREATE TABLE effect (name text NOT NULL)")
        yield database


async def test_statements_of_every_kind_from_many_at_once(database: Database) -> None:
    async def work(number: int) -> None:
        name = f"effect {number}"
        await Effect.insert(Effect(name=name))
        assert await database.fetch("SELECT name FROM effect WHERE name = $1", name)
        assert await Effect.select().where(Effect.name == name)
        assert await Effect.count().where(Effect.name == name) == 1
        async with database.transaction() as connection:
            assert await connection.fetchval("SELECT name FROM effect WHERE name = $1", name) == name
            await connection.execute("UPDATE effect SET name = name WHERE name = $1", name)

    for _ in range(3):
        await Effect.delete(force=True)
        await asyncio.gather(*(work(number) for number in range(30)))
        assert await Effect.count() == 30


async def test_a_statement_that_takes_too_long_is_ended(database: Database) -> None:
    with pytest.raises(Unavailable):
        await database.fetch("SELECT pg_sleep(10)")
    with pytest.raises(Unavailable):
        async with database.transaction() as connection:
            await connection.execute("SELECT pg_sleep(10)")
    limits = await asyncio.gather(*(database.fetch("SHOW statement_timeout") for _ in range(8)))
    assert {rows[0]["statement_timeout"] for rows in limits} == {"2s"}
    waits = await database.fetch("SHOW idle_in_transaction_session_timeout")
    assert waits[0]["idle_in_transaction_session_timeout"] == "30s"


async def test_a_migration_is_not_limited_and_leaves_no_limit_behind(database: Database) -> None:
    async with database.patient_transaction() as connection:
        assert await connection.fetchval("SHOW statement_timeout") == "0"
    assert (await database.fetch("SHOW statement_timeout"))[0]["statement_timeout"] == "2s"


async def test_a_failed_transaction_keeps_nothing_and_gives_its_connection_back(database: Database) -> None:
    for _ in range(10):
        with pytest.raises(ZeroDivisionError):
            async with database.transaction() as connection:
                await connection.execute("INSERT INTO effect VALUES ('never')")
                raise ZeroDivisionError
    assert await Effect.count() == 0


async def test_messages_are_claimed_by_one_at_a_time(database: Database) -> None:
    async with database.transaction():
        await store.put(
            database, aggregate="a", target="member", method="PUT", path="/x", body=Body(name="x")
        )
    outbox = store.OutboxStore(database)
    async with outbox.claim("member", 10) as mine:
        with database.apart():
            async with outbox.claim("member", 10) as others:
                assert (len(mine.messages), len(others.messages)) == (1, 0)
