"""Accounts know the latest order that changed their address."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from services.auth.adapters.tables import AccountRow

ID = "2026-11-24T19:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The number of the latest order that changed an account's address."


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="auth", description=DESCRIPTION)

    async def add() -> None:
        await AccountRow.raw("ALTER TABLE account ADD COLUMN email_order bigint NOT NULL DEFAULT 0")

    async def drop() -> None:
        await AccountRow.raw("ALTER TABLE account DROP COLUMN email_order")

    manager.add_raw(add)
    manager.add_raw_backwards(drop)
    return manager
