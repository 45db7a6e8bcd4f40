"""What can be done with payments from the command line, beside serving."""

from datetime import UTC, datetime, timedelta

import click

from services.chassis import database_commands
from services.chassis.cli import pass_settings
from services.chassis.migrations import CHASSIS
from services.chassis.postgres import Database
from services.payment.adapters.payments_postgres import PostgresPayments
from services.payment.adapters.reports_postgres import PostgresReports
from services.payment.adapters.stripe_provider import StripeProvider
from services.payment.application.reconciliation import Reconciliation
from services.payment.settings import Settings

MIGRATIONS = (CHASSIS, ("payment", "services.payment.adapters.piccolo_migrations"))


@click.command("reconcile")
@click.option(
    "--days", type=click.IntRange(1, 400), default=3, show_default=True, help="How far to look back."
)
@pass_settings
def reconcile(settings: Settings, days: int) -> None:
    """Compare the provider's list with the ledger; exits with 1 where they differ."""

    async def act(database: Database) -> int:
        provider = StripeProvider(settings.stripe_secret_key, base=settings.stripe_url)
        now = datetime.now(UTC)
        reports = PostgresReports(database)
        async with provider.lifespan():
            found = await Reconciliation(provider, PostgresPayments(database, lambda: now), reports).compare(
                now - timedelta(days=days), now, now
            )
        for each in found.differences:
            click.echo(
                f"{each.kind}: {each.intent} of order {each.order}: provider {each.at_provider}, ledger {each.booked}"
            )
        total = await reports.ledger_sum()
        click.echo(f"{found.seen} compared, {len(found.differences)} differences, the ledger sums to {total}")
        return 1 if found.differences or total else 0

    database_commands.run(database_commands.opened("payment", settings), act)


COMMANDS = (
    reconcile,
    database_commands.migrate_command("payment", *MIGRATIONS),
    database_commands.outbox_commands("payment"),
)
