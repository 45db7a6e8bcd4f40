"""`migrate` and `outbox list|retry`, as every service with a database has them."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import msgspec
import pytest
from click.testing import CliRunner, Result

from services.chassis import database_commands, outbox
from services.chassis.migrations import CHASSIS
from services.chassis.postgres import Database

Run = Callable[..., Result]


class Body(msgspec.Struct):
    secret: str = "personal"


@pytest.fixture
def url(new_postgres_database: Callable[[], str]) -> str:
    return new_postgres_database()


@pytest.fixture
def run(url: str) -> Run:
    commands = {
        "migrate": database_commands.migrate_command("test", CHASSIS),
        "outbox": database_commands.outbox_commands("test"),
    }

    def invoke(name: str, *arguments: str) -> Result:
        return CliRunner().invoke(
            commands[name], arguments, obj=SimpleNamespace(settings=SimpleNamespace(database_url=url))
        )

    return invoke


async def written(url: str, *, dead: bool) -> None:
    database = Database(url, application="test", pool_max=2)
    async with database.lifespan():
        async with database.transaction():
            await outbox.put(
                database, aggregate="a", target="auth", method="PUT", path="/here", body=Body(), most=None
            )
        if dead:
            [message] = await outbox.OutboxStore(database).listed(dead_only=False, limit=1)
            await database.fetch("UPDATE outbox SET dead_letter_at = now() WHERE id = $1", message.id)


def test_migrate_says_what_it_did_and_repeats_harmlessly(run: Run) -> None:
    first, again = run("migrate"), run("migrate")
    assert (first.exit_code, first.output.startswith("ran 2026-")) == (0, True)
    assert (again.exit_code, again.output) == (0, "nothing to do\n")


def test_a_dead_letter_is_listed_without_its_body_and_made_due_again(run: Run, url: str) -> None:
    run("migrate")
    assert (run("outbox", "list").output, run("outbox", "retry").output) == ("", "0 made due\n")
    asyncio.run(written(url, dead=True))
    listed = run("outbox", "list", "--dead")
    assert (listed.exit_code, "dead_letter" in listed.output, "PUT auth/here" in listed.output) == (
        0,
        True,
        True,
    )
    assert "personal" not in listed.output
    assert run("outbox", "retry", "4711").exit_code == 1
    assert run("outbox", "retry", "0").exit_code == 2
    assert run("outbox", "retry", listed.output.split("\t")[0]).output == "1 made due\n"
    assert run("outbox", "list", "--dead").output == ""
    assert "waiting" in run("outbox", "list").output
