"""Accounts and signing keys."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-22T19:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Accounts and signing keys."

_FORWARDS = (
    """
    CREATE TABLE account (
        id uuid PRIMARY KEY,
        email text NOT NULL UNIQUE,
        name text NOT NULL,
        roles text[] NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'disabled')),
        password_hash text NOT NULL,
        email_verified boolean NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE signing_key (
        kid text PRIMARY KEY,
        public text NOT NULL,
        sealed_private bytea NOT NULL,
        created_at timestamptz NOT NULL,
        signs_from timestamptz NOT NULL
    )
    """,
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="auth", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def create() -> None:
        for statement in _FORWARDS:
            await Raw.raw(statement)

    async def drop() -> None:
        await Raw.raw("DROP TABLE signing_key")
        await Raw.raw("DROP TABLE account")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
