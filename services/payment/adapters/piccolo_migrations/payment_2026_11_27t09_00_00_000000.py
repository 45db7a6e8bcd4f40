from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T09:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The ledger by time, for the revenue of a day"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="payment", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def add() -> None:
        await Raw.raw("CREATE INDEX ledger_transaction_by_time ON ledger_transaction (at)")

    async def drop() -> None:
        await Raw.raw("DROP INDEX ledger_transaction_by_time")

    manager.add_raw(add)
    manager.add_raw_backwards(drop)
    return manager
