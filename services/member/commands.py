"""What can be done with the member database from the command line, beside serving."""

import click

from services.chassis import database_commands
from services.chassis.cli import pass_settings
from services.chassis.migrations import CHASSIS, migrate
from services.chassis.postgres import Database
from services.member.adapters import load_data
from services.member.settings import Settings

MIGRATIONS = (CHASSIS, ("member", "services.member.adapters.piccolo_migrations"))


@click.command("seed-load")
@click.argument("count", type=click.IntRange(1, 10_000_000), default=100_000)
@pass_settings
def seed_load(settings: Settings, count: int) -> None:
    """Add COUNT members to measure with; refused in production."""
    if settings.production:
        raise click.ClickException("seed-load is for measuring, not for production")

    async def act(database: Database) -> int:
        await migrate(database, *MIGRATIONS)
        click.echo(f"added {await load_data.load(database, count)} members")
        return 0

    database_commands.run(database_commands.opened("member", settings), act)


COMMANDS = (
    seed_load,
    database_commands.migrate_command("member", *MIGRATIONS),
    database_commands.outbox_commands("member"),
)
