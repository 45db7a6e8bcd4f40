"""What can be done with the catalog's database from the command line, beside serving."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import UUID

import click

from services.catalog.adapters import load_data
from services.catalog.adapters.exporting import Exporter
from services.catalog.adapters.importing import Importer
from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.domain.reservations import Goal
from services.catalog.settings import Settings
from services.chassis import database_commands
from services.chassis.cli import pass_settings
from services.chassis.database_commands import SINCE
from services.chassis.migrations import CHASSIS, migrate
from services.chassis.postgres import Database

MIGRATIONS = (CHASSIS, ("catalog", "services.catalog.adapters.piccolo_migrations"))


@click.command("audit-stock")
@pass_settings
def audit_stock(settings: Settings) -> None:
    """Prove stock from the journal and the reservations; exits with 1 where they differ."""

    async def act(database: Database) -> int:
        differences = await PostgresStock(database).differences()
        for found in differences:
            click.echo(
                f"{found.sku}: on hand {found.stock.on_hand}, by the journal {found.proven.on_hand}; "
                f"reserved {found.stock.reserved}, by the reservations {found.proven.reserved}"
            )
        click.echo(f"{len(differences)} differences")
        return 1 if differences else 0

    database_commands.run(database_commands.opened("catalog", settings), act)


@click.command("reservations")
@SINCE
@pass_settings
def reservations(settings: Settings, since: datetime) -> None:
    """Print the orders whose reservations take stock and were changed since then, with their states.

    `order unknown` names those that order has lost.
    """

    async def act(database: Database) -> int:
        for order, state in await PostgresStock(database).taking_since(since):
            click.echo(f"{order} {state.value}")
        return 0

    database_commands.run(database_commands.opened("catalog", settings), act)


@click.command("release")
@click.argument("order", type=click.UUID, nargs=-1, required=True)
@pass_settings
def release(settings: Settings, order: tuple[UUID, ...]) -> None:
    """Free what is held for ORDER, or take back what was sold to it: for orders that were lost."""

    async def act(database: Database) -> int:
        stock, unknown = PostgresStock(database), 0
        for each in order:
            lines = await stock.lines_of(each)
            if lines:
                outcome = await stock.pursue(each, Goal.RELEASED, lines, datetime.now(UTC))
                click.echo(f"{each} {outcome.state.value}")
            else:
                click.echo(f"{each} has no reservation", err=True)
                unknown += 1
        return 1 if unknown else 0

    database_commands.run(database_commands.opened("catalog", settings), act)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_settings
def import_file(settings: Settings, file: Path) -> None:
    """Make or change the products in FILE, .csv or .jsonl, each as a whole or not at all.

    Repeating is harmless: what is as in the file is let be. Exits with 1 where a row was refused; the others are done.
    """

    def refuse(line: int, text: str) -> None:
        click.echo(f"line {line}: {text}", err=True)

    async def act(database: Database) -> int:
        await migrate(database, *MIGRATIONS)
        importer = Importer(
            database,
            lambda: datetime.now(UTC),
            currency=settings.store_currency,
            refuse=refuse,
            done=_progress(),
        )
        report = await importer.run(file)
        click.echo(
            f"{report.made} made, {report.changed} changed, {report.same} as they were, {report.refused} refused"
        )
        return 1 if report.refused else 0

    database_commands.run(database_commands.opened("catalog", settings), act)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_settings
def export_file(settings: Settings, file: Path) -> None:
    """Write all products into FILE, .csv or .jsonl, as `import` takes them."""

    async def act(database: Database) -> int:
        click.echo(f"{await Exporter(database).run(file)} products")
        return 0

    database_commands.run(database_commands.opened("catalog", settings), act)


@click.command("seed-load")
@click.argument("products", type=click.IntRange(1, 10_000_000), default=50_000)
@pass_settings
def seed_load(settings: Settings, products: int) -> None:
    """Add PRODUCTS products to measure with; refused in production."""
    if settings.production:
        raise click.ClickException("seed-load is for measuring, not for production")

    async def act(database: Database) -> int:
        await migrate(database, *MIGRATIONS)
        click.echo(f"added {await load_data.load(database, products)} products")
        return 0

    database_commands.run(database_commands.opened("catalog", settings), act)


COMMANDS = (
    database_commands.outbox_commands("catalog"),
    audit_stock,
    reservations,
    release,
    import_file,
    export_file,
    seed_load,
    database_commands.migrate_command("catalog", *MIGRATIONS),
)


def _progress() -> Callable[[], None]:
    """Counts rows, for a person who watches."""
    rows = count(1)

    def done() -> None:
        number = next(rows)
        if sys.stderr.isatty() and number % 100 == 0:
            click.echo(f"\r{number} rows", err=True, nl=False)

    return done
