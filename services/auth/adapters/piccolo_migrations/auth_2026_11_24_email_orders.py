"""Accounts know the latest order that changed their address."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-24T19:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The number of the latest order that changed an account's address."


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="auth", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def add() -> None:
        await Raw.raw("ALTER TABLE account ADD COLUMN email_order bigint NOT NULL DEFAULT 0")

    async def drop() -> None:
        await Raw.raw("ALTER TABLE account DROP COLUMN email_order")

    manager.add_raw(add)
    manager.add_raw_backwards(drop)
    return manager
