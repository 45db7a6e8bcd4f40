"""The outbox' targets, each with a loop of its own: what one does is nothing to the messages of another."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from services.chassis import outbox
from services.chassis.outbox import Answer
from services.chassis.postgres import Database
from tests.stores.chassis.messages import put, waiting


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
        async with asyncio.timeout(20):
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
