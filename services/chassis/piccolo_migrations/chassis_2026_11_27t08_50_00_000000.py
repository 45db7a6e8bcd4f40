"""Dead letters are listed for administrators: few of them among many that wait."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T08:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Outbox: dead letters by age"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="chassis", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def add() -> None:
        await Raw.raw("CREATE INDEX outbox_dead_letters ON outbox (id) WHERE dead_letter_at IS NOT NULL")

    async def drop() -> None:
        await Raw.raw("DROP INDEX outbox_dead_letters")

    manager.add_raw(add)
    manager.add_raw_backwards(drop)
    return manager
