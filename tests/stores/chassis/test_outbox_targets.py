"""The outbox' targets, each with a loop of its own: what one does is nothing to the messages of another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import asyncpg
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from common.http_client import Answer as HttpAnswer
from common.http_client import HttpClient
from services.chassis import outbox
from services.chassis.outbox import Answer
from services.chassis.outbox.store import Claim
from services.chassis.postgres import Database
from tests.stores.chassis.messages import Body, put, waiting
from tests.waiting import WITHIN


class Told:
    """A target that gives each message the answer, or raises the fault, that it was told for its aggregate."""

    batch, look_every, longest_delay = 4, 60.0, 30.0

    def __init__(self, told: dict[str, Answer | Exception] | None = None) -> None:
        self.told = told or {}
        self.got: list[str] = []

    async def __call__(self, message: outbox.OutboxMessage) -> tuple[Answer, str]:
        self.got.append(message.aggregate)
        told = self.told.get(message.aggregate, Answer.TAKEN)
        if isinstance(told, Exception):
            raise told
        return told, "as told"


class Silent(Told):
    """One that never answers."""

    async def __call__(self, message: outbox.OutboxMessage) -> tuple[Answer, str]:
        await super().__call__(message)
        await asyncio.Event().wait()
        raise AssertionError


def told(database: Database, **targets: outbox.Target) -> outbox.Delivery:
    return outbox.Delivery(outbox.OutboxStore(database), targets=targets, registry=CollectorRegistry())


async def test_a_target_that_never_answers_holds_up_no_other(database: Database) -> None:
    silent, other = Silent(), Told()
    async with told(database, silent=silent, other=other).lifespan():
        for number in range(10):
            await put(database, number, f"silent-{number}", target="silent")
        async with asyncio.timeout(WITHIN):
            while not silent.got:
                await asyncio.sleep(0.01)
            for number in range(10):
                await put(database, number, f"other-{number}")
                while len(other.got) <= number:
                    await asyncio.sleep(0.01)
    assert len(silent.got) <= silent.batch


async def test_a_target_that_fails_undoes_nothing_of_the_messages_beside(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.outbox.delivery.ATTEMPT_TIMEOUT_S", 0.1)
    for name in ("breaks", "hangs", "hopeless", "good"):
        await put(database, 1, name)

    class Hanging(Told):
        async def __call__(self, message: outbox.OutboxMessage) -> tuple[Answer, str]:
            if message.aggregate == "hangs":
                await asyncio.Event().wait()
            return await super().__call__(message)

    target = Hanging({"breaks": ZeroDivisionError(), "hopeless": Answer.HOPELESS})
    assert await told(database, other=target).deliver_due("other") == 4
    assert [
        (message.aggregate, message.attempts, message.last_error) for message in await waiting(database)
    ] == [
        ("breaks", 1, "ZeroDivisionError"),
        ("hangs", 1, "no answer in time"),
    ]


async def test_targets_may_use_the_database_side_by_side(database: Database) -> None:
    """Not the claim's connection, which serves one at a time."""

    class Asking(Told):
        async def __call__(self, message: outbox.OutboxMessage) -> tuple[Answer, str]:
            async with database.transaction() as connection:
                await connection.execute(
                    "INSERT INTO effect SELECT $1 FROM pg_sleep(0.05)", message.aggregate
                )
            return Answer.TAKEN, ""

    for number in range(4):
        await put(database, number, f"a{number}")
    await told(database, other=Asking()).deliver_due("other")
    assert len(await database.fetch("SELECT name FROM effect")) == 4
    assert await waiting(database) == []


class Peer:
    """Answers every call, as a service's client sees it."""

    def __init__(self) -> None:
        self.calls = 0

    async def call(self, *_: object, **__: object) -> HttpAnswer:
        self.calls += 1
        return HttpAnswer(200, b"{}")


def step(database: Database, peer: Peer, faults: dict[str, Exception]) -> outbox.StepTarget:
    """Writes down each aggregate once, then raises what it was told."""

    async def take(message: outbox.OutboxMessage, status: int, body: bytes) -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO effect VALUES ($1)", message.aggregate)
            if message.aggregate in faults:
                raise faults[message.aggregate]

    return outbox.StepTarget(cast(HttpClient, peer), "http://peer", internal_key="k" * 16, take=take)


async def effects(database: Database) -> list[str]:
    return [row["name"] for row in await database.fetch("SELECT name FROM effect ORDER BY name")]


async def test_what_follows_from_an_answer_is_committed_with_the_end_of_its_message(
    database: Database,
) -> None:
    """Killed in between, neither is there: a repeat follows from the same answer once."""

    class Dying(outbox.OutboxStore):
        @asynccontextmanager
        async def claim(self, target: str, limit: int) -> AsyncIterator[Claim]:
            async with super().claim(target, limit) as claim:
                yield claim
                raise ZeroDivisionError

    peer = Peer()
    await put(database, 1, "a")
    targets = {"other": step(database, peer, {})}
    dying = outbox.Delivery(Dying(database), targets=targets, registry=CollectorRegistry())
    with pytest.raises(ZeroDivisionError):
        await dying.deliver_due("other")
    assert (await effects(database), len(await waiting(database))) == ([], 1)
    assert await told(database, **targets).deliver_due("other") == 1
    assert (await effects(database), await waiting(database), peer.calls) == (["a"], [], 2)


@pytest.mark.parametrize(
    ("fault", "refusals", "error"),
    [
        (ValueError("odd"), 1, "the answer is not as agreed: odd"),
        (RuntimeError(), 0, "RuntimeError"),
        (asyncpg.DivisionByZeroError("x"), 0, "DivisionByZeroError"),
    ],
)
async def test_an_answer_that_is_not_taken_leaves_nothing_but_its_message(
    database: Database, fault: Exception, refusals: int, error: str
) -> None:
    await put(database, 1, "a")
    assert await told(database, other=step(database, Peer(), {"a": fault})).deliver_due("other") == 1
    (message,) = await waiting(database)
    assert (message.attempts, message.refusals, message.last_error) == (1, refusals, error)
    assert await effects(database) == []


async def test_of_several_answers_one_that_is_not_taken_undoes_no_other(database: Database) -> None:
    for name in "abc":
        await put(database, 1, name)
    assert await told(database, other=step(database, Peer(), {"b": ValueError()})).deliver_due("other") == 3
    assert await effects(database) == ["a", "c"]
    assert [message.aggregate for message in await waiting(database)] == ["b"]


async def test_a_message_that_is_tried_again_is_as_it_was(database: Database) -> None:
    for name in "ab":
        await put(database, 1, name)
    before = {message.aggregate: message for message in await waiting(database)}
    target = Told(dict.fromkeys("ab", Answer.NOT_NOW))
    assert await told(database, other=target).deliver_due("other") == 2
    for message in await waiting(database):
        tried = msgspec.structs.replace(before[message.aggregate], attempts=1, last_error="as told")
        assert message == tried


async def test_several_messages_are_written_at_once_in_their_order_and_those_beyond_the_most_are_named(
    database: Database,
) -> None:
    def new(aggregate: str, most: int | None = None) -> outbox.NewMessage:
        return outbox.NewMessage(
            aggregate=aggregate, target="other", method="PUT", path="/x", body=Body(1), most=most
        )

    await put(database, 1, "first")
    async with database.transaction():
        dropped = await outbox.put_all(database, [new("b"), new("beyond", most=1), new("a")])
    assert [message.aggregate for message in dropped] == ["beyond"]
    assert [message.aggregate for message in await waiting(database)] == ["first", "b", "a"]


@pytest.mark.parametrize("most", [None, 10_000])
async def test_postgresql_keeps_its_plan_of_how_messages_are_written(
    database: Database, most: int | None
) -> None:
    """It tries five of them, and then makes one for each call if that looks cheaper: more work than the call itself."""
    async with database.transaction() as connection:
        for number in range(12):
            messages = [
                outbox.NewMessage(
                    aggregate=f"{number}-{place}",
                    target="other",
                    method="PUT",
                    path="/x",
                    body=Body(1),
                    most=most,
                )
                for place in range(2)
            ]
            await outbox.put_all(database, messages)
        plans = await connection.fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements "
            "WHERE statement LIKE 'INSERT INTO outbox%'"
        )
    assert [(row["generic_plans"], row["custom_plans"]) for row in plans] == [(7, 5)]
