"""Orders count what the receiver refused apart from what never reached it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-24T19:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Outbox: refusals apart from attempts"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="chassis", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def add() -> None:
        await Raw.raw("ALTER TABLE outbox ADD COLUMN refusals integer NOT NULL DEFAULT 0")

    async def drop() -> None:
        await Raw.raw("ALTER TABLE outbox DROP COLUMN refusals")

    manager.add_raw(add)
    manager.add_raw_backwards(drop)
    return manager
