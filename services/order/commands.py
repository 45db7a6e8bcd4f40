"""What can be done with the order database from the command line, beside serving."""

import asyncio
import sys
from collections.abc import Sequence

import click

from services.chassis.cli import pass_settings
from services.chassis.migrations import CHASSIS, migrate
from services.chassis.outbox import command as outbox_command
from services.chassis.postgres import Database
from services.order.settings import Settings

MIGRATIONS = (CHASSIS, ("order", "services.order.adapters.piccolo_migrations"))


@click.command("migrate")
@pass_settings
def migrate_now(settings: Settings) -> None:
    """Bring the database to the tables that this version expects; every start does it too."""

    async def run() -> None:
        database = Database(
            settings.database_url, application="order command", pool_max=2, statement_timeout=60
        )
        async with database.lifespan():
            ran = await migrate(database, *MIGRATIONS)
            click.echo(f"ran {', '.join(ran)}" if ran else "nothing to do")

    asyncio.run(run())


@click.command("outbox", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_settings
def outbox_messages(settings: Settings, arguments: Sequence[str]) -> None:
    """List the messages that wait and the dead letters, or make dead letters due again."""
    sys.exit(outbox_command.run(settings.database_url, arguments))


COMMANDS = (migrate_now, outbox_messages)
