"""A payment knows the trace in which it began: what the provider says of it later goes on there. The former version beside
leaves it empty: a trace begins anew."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T08:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Payments: trace context"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="payment", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def add() -> None:
        await Raw.raw("ALTER TABLE payment ADD COLUMN traceparent text NOT NULL DEFAULT ''")

    async def remove() -> None:
        await Raw.raw("ALTER TABLE payment DROP COLUMN traceparent")

    manager.add_raw(add)
    manager.add_raw_backwards(remove)
    return manager
