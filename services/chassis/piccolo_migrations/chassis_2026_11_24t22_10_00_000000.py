"""Each target's orders are looked for by themselves: many that wait for one slow down no look for another's."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-24T22:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Outbox: due orders by target"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="chassis", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def index(columns: str) -> None:
        await Raw.raw("DROP INDEX outbox_due")
        await Raw.raw(f"CREATE INDEX outbox_due ON outbox ({columns}) WHERE parked_at IS NULL")

    async def by_target() -> None:
        await index("target, next_attempt_at, id")

    async def of_all() -> None:
        await index("next_attempt_at, id")

    manager.add_raw(by_target)
    manager.add_raw_backwards(of_all)
    return manager
