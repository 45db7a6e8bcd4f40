"""Sessions and mailed links, which were in Redis until now."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T02:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Sessions, their former refresh tokens, and mailed links."

_FORWARDS = (
    """
    CREATE TABLE session (
        id uuid PRIMARY KEY,
        account uuid NOT NULL,
        device text NOT NULL,
        address text NOT NULL,
        token text NOT NULL,
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        ended_at timestamptz,
        told boolean NOT NULL DEFAULT false
    )
    """,
    "COMMENT ON COLUMN session.token IS 'SHA-256 of the refresh token'",
    "COMMENT ON COLUMN session.told IS 'whether the revocation log is known to have its end'",
    "CREATE INDEX session_account ON session (account) WHERE NOT told",
    "CREATE INDEX session_ends_at ON session (ends_at)",
    "CREATE INDEX session_ended_at ON session (ended_at) WHERE ended_at IS NOT NULL",
    "CREATE INDEX session_untold ON session (ended_at) WHERE ended_at IS NOT NULL AND NOT told",
    """
    CREATE TABLE former_token (
        token text PRIMARY KEY,
        session uuid NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        sealed_successor bytea NOT NULL,
        good_until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX former_token_session ON former_token (session)",
    """
    CREATE TABLE mailed_link (
        kind text NOT NULL,
        digest text NOT NULL,
        content text NOT NULL,
        expires_at timestamptz NOT NULL,
        taken_at timestamptz,
        PRIMARY KEY (kind, digest)
    )
    """,
    "CREATE INDEX mailed_link_expires_at ON mailed_link (expires_at)",
    # What adapters/carry_over.py still has to fetch from Redis: nothing where there are no accounts yet.
    "CREATE TABLE carry_over_due AS SELECT true AS due WHERE EXISTS (SELECT FROM account)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="auth", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def create() -> None:
        for statement in _FORWARDS:
            await Raw.raw(statement)

    async def drop() -> None:
        for table in ("carry_over_due", "mailed_link", "former_token", "session"):
            await Raw.raw(f"DROP TABLE {table}")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
