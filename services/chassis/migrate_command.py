"""`python -m services.NAME migrate`: what every start does, by itself.

Apart from cli.py: a service without a database does not load a driver for it.
"""

import asyncio

import click

from services.chassis.cli import pass_settings
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.chassis.settings import ServiceSettings


def migrate_command(service: str, *apps: tuple[str, str]) -> click.Command:
    """For a service whose settings have `database_url`."""

    @click.command("migrate")
    @pass_settings
    def command(settings: ServiceSettings) -> None:
        """Bring the database to the tables that this version expects; every start does it too."""
        url: str = getattr(settings, "database_url")  # noqa: B009 - of the service's own settings
        ran = asyncio.run(_migrate(Database(url, application=f"{service} command", pool_max=2), *apps))
        click.echo(f"ran {', '.join(ran)}" if ran else "nothing to do")

    return command


async def _migrate(database: Database, *apps: tuple[str, str]) -> list[str]:
    async with database.lifespan():
        return await migrate(database, *apps)
