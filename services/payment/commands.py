"""What can be done with payments from the command line, beside serving."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import click

from services.chassis import database_commands
from services.chassis.cli import pass_settings
from services.chassis.database_commands import SINCE
from services.chassis.migrations import CHASSIS
from services.chassis.postgres import Database
from services.payment.adapters.payments_postgres import PostgresPayments
from services.payment.adapters.reports_postgres import PostgresReports
from services.payment.adapters.stripe_provider import StripeProvider
from services.payment.application.adopting import AdoptionService
from services.payment.application.payments import PaymentService
from services.payment.application.reconciliation import ReconciliationService
from services.payment.domain.errors import UnknownPayment
from services.payment.settings import Settings

MIGRATIONS = (CHASSIS, ("payment", "services.payment.adapters.piccolo_migrations"))


def now() -> datetime:
    return datetime.now(UTC)


@click.command("reconcile")
@click.option(
    "--days", type=click.IntRange(1, 400), default=3, show_default=True, help="How far to look back."
)
@pass_settings
def reconcile(settings: Settings, days: int) -> None:
    """Compare the provider's list with the ledger; exits with 1 where they differ."""

    async def act(database: Database) -> int:
        provider = StripeProvider(settings.stripe_secret_key, base=settings.stripe_url)
        until = now()
        reports = PostgresReports(database)
        async with provider.lifespan():
            found = await ReconciliationService(provider, PostgresPayments(database, now), reports).compare(
                until - timedelta(days=days), until, until
            )
        for each in found.differences:
            due = "" if each.expected is None else f", the order comes to {each.expected}"
            both = f"provider {each.at_provider}, ledger {each.booked}"
            click.echo(f"{each.kind}: {each.intent} of order {each.order}: {both}{due}")
        total = await reports.ledger_sum()
        click.echo(f"{found.seen} compared, {len(found.differences)} differences, the ledger sums to {total}")
        return 1 if found.differences or total else 0

    database_commands.run(database_commands.opened("payment", settings), act)


@click.command("adopt")
@SINCE
@pass_settings
def adopt(settings: Settings, since: datetime) -> None:
    """Take over the pages, charges and refunds that the provider has and this database has not.

    For a database that was restored to an earlier moment. Repeats are harmless.
    """

    async def act(database: Database) -> int:
        provider = StripeProvider(settings.stripe_secret_key, base=settings.stripe_url)
        payments = PostgresPayments(database, now)
        async with provider.lifespan():
            found = await AdoptionService(payments, provider, provider, now).adopt(since)
        for order in found.adopted:
            click.echo(f"adopted {order}")
        click.echo(f"{len(found.adopted)} adopted, the provider is asked about {found.asked} others")
        return 0

    database_commands.run(database_commands.opened("payment", settings), act)


@click.command("orders")
@SINCE
@pass_settings
def orders(settings: Settings, since: datetime) -> None:
    """Print the orders whose payments were changed since then, with the payments' states: for `order unknown`."""

    async def act(database: Database) -> int:
        for order, state in await PostgresReports(database).changed_since(since):
            click.echo(f"{order} {state.value}")
        return 0

    database_commands.run(database_commands.opened("payment", settings), act)


@click.command("restate")
@SINCE
@pass_settings
def restate(settings: Settings, since: datetime) -> None:
    """Tell order again how the payments are that were changed since then. Repeats are harmless.

    For order's database that was restored to an earlier moment. Those of orders that it has lost become dead letters.
    """

    async def act(database: Database) -> int:
        service = PaymentService(PostgresPayments(database, now), StripeProvider.name, now)
        changed = await PostgresReports(database).changed_since(since)
        for order, _ in changed:
            await service.tell_again(order)
        click.echo(f"{len(changed)} payments told")
        return 0

    database_commands.run(database_commands.opened("payment", settings), act)


@click.command("give-up")
@click.argument("order", type=click.UUID, nargs=-1, required=True)
@pass_settings
def give_up(settings: Settings, order: tuple[UUID, ...]) -> None:
    """Give all money of ORDER back, or the promise of it: for orders that were lost. It cannot be taken back."""

    async def act(database: Database) -> int:
        service = PaymentService(PostgresPayments(database, now), StripeProvider.name, now)
        unknown = 0
        for each in order:
            try:
                click.echo(f"{each} {(await service.give_up(each)).payment.state.value}")
            except UnknownPayment:
                click.echo(f"{each} has no payment", err=True)
                unknown += 1
        return 1 if unknown else 0

    database_commands.run(database_commands.opened("payment", settings), act)


COMMANDS = (
    reconcile,
    adopt,
    orders,
    restate,
    give_up,
    database_commands.migrate_command("payment", *MIGRATIONS),
    database_commands.outbox_commands("payment"),
)
