"""Accounts keep a former address until the password was given with the new one."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-24T22:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The former address of an account that was moved without the password."


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="auth", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def add() -> None:
        await Raw.raw("ALTER TABLE account ADD COLUMN former_email text UNIQUE")

    async def drop() -> None:
        await Raw.raw("ALTER TABLE account DROP COLUMN former_email")

    manager.add_raw(add)
    manager.add_raw_backwards(drop)
    return manager
