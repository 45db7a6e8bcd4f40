"""What can be done with the order database from the command line, beside serving."""

import sys
from datetime import datetime
from uuid import UUID

import click

from services.chassis import database_commands
from services.chassis.cli import pass_settings
from services.chassis.database_commands import SINCE
from services.chassis.migrations import CHASSIS
from services.chassis.postgres import Database
from services.order.adapters.order_messages import OutboxMessages
from services.order.adapters.orders_postgres import PostgresOrders
from services.order.application.restating import RestatementService
from services.order.settings import Settings

MIGRATIONS = (CHASSIS, ("order", "services.order.adapters.piccolo_migrations"))


@click.command("restate")
@SINCE
@pass_settings
def restate(settings: Settings, since: datetime) -> None:
    """Tell catalog and payment again what each order wants that was changed since then. Repeats are harmless.

    For one of their databases that was restored to an earlier moment; of payment, `adopt` comes first.
    """

    async def act(database: Database) -> int:
        orders = PostgresOrders(database)
        messages = OutboxMessages(database, orders, settings.site)
        restating = RestatementService(orders=orders, changed=orders, messages=messages, work=database)
        click.echo(f"{await restating.restate(since)} orders said what they want")
        return 0

    database_commands.run(database_commands.opened("order", settings), act)


@click.command("unknown")
@pass_settings
def unknown(settings: Settings) -> None:
    """Print those of the ids on standard input that are no orders; exits with 1 where there are any.

    The first word of each line is an id, as `catalog reservations` and `payment orders` print them.
    """
    ids = [UUID(line.split()[0]) for line in sys.stdin if line.strip()]

    async def act(database: Database) -> int:
        found = await PostgresOrders(database).unknown(ids)
        for id_ in found:
            click.echo(str(id_))
        return 1 if found else 0

    database_commands.run(database_commands.opened("order", settings), act)


COMMANDS = (
    restate,
    unknown,
    database_commands.migrate_command("order", *MIGRATIONS),
    database_commands.outbox_commands("order"),
)
