"""The commands of every service that has a database: `migrate`, and `outbox list|retry` where it has an outbox.

Apart from cli.py: a service without a database does not load a driver for it.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

import click

from services.chassis.cli import pass_settings
from services.chassis.migrations import migrate
from services.chassis.outbox.store import OutboxMessage, OutboxStore
from services.chassis.postgres import Database

SINCE = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z"]),
    required=True,
    help="The moment, with its zone: 2026-01-01T12:00:00+09:00 (Z for UTC).",
)


class HasDatabase(Protocol):
    """Settings of a service with a database."""

    @property
    def database_url(self) -> str: ...


def opened(service: str, settings: HasDatabase) -> Database:
    """The database for a command: few connections, and time for each statement."""
    return Database(settings.database_url, application=f"{service} command", pool_max=2, statement_timeout=60)


def run(database: Database, act: Callable[[Database], Awaitable[int]]) -> None:
    """Ends the process with the exit status that `act` returns, the database open while it acts."""

    async def with_database() -> int:
        async with database.lifespan():
            return await act(database)

    sys.exit(asyncio.run(with_database()))


def migrate_command(service: str, *migrations: tuple[str, str]) -> click.Command:
    @click.command("migrate")
    @pass_settings
    def migrate_now(settings: HasDatabase) -> None:
        """Bring the database to the tables that this version expects; every start does it too."""

        async def act(database: Database) -> int:
            ran = await migrate(database, *migrations)
            click.echo(f"ran {', '.join(ran)}" if ran else "nothing to do")
            return 0

        run(opened(service, settings), act)

    return migrate_now


def outbox_commands(service: str) -> click.Group:
    @click.group("outbox")
    def outbox() -> None:
        """Messages that wait for delivery, to other services or by mail, and dead letters."""

    @outbox.command("list")
    @click.option("--dead", is_flag=True, help="Only those that the receiver refuses.")
    @click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
    @pass_settings
    def list_messages(settings: HasDatabase, dead: bool, limit: int) -> None:
        """Show messages, the oldest first, one a line."""

        async def act(database: Database) -> int:
            for message in await OutboxStore(database).listed(dead_only=dead, limit=limit):
                click.echo(line(message))
            return 0

        run(opened(service, settings), act)

    @outbox.command("retry")
    @click.argument("number", metavar="[ID]", type=click.IntRange(1), required=False)
    @pass_settings
    def retry(settings: HasDatabase, number: int | None) -> None:
        """Make dead letters due again: that of ID, or all. Exits with 1 where ID is none."""

        async def act(database: Database) -> int:
            count = len(await OutboxStore(database).retry_dead_letters(number))
            click.echo(f"{count} made due")
            return 0 if count or number is None else 1

        run(opened(service, settings), act)

    @outbox.command("forget")
    @click.argument("numbers", metavar="ID...", type=click.IntRange(1), nargs=-1, required=True)
    @pass_settings
    def forget(settings: HasDatabase, numbers: tuple[int, ...]) -> None:
        """Forget dead letters that nobody needs any more. Exits with 1 where one of them is none."""

        async def act(database: Database) -> int:
            count = await OutboxStore(database).forget_dead_letters(numbers)
            click.echo(f"{count} forgotten")
            return 0 if count == len(set(numbers)) else 1

        run(opened(service, settings), act)

    return outbox


def line(message: OutboxMessage) -> str:
    """One message as one line: no body, which may hold personal data."""
    state = "dead_letter" if message.dead_letter_at else "waiting"
    return (
        f"{message.id}\t{state}\t{message.created_at:%Y-%m-%dT%H:%M:%SZ}\tattempts={message.attempts}\trefusals={message.refusals}\t"
        f"{message.method} {message.target}{message.path}\t{message.last_error}"
    )
