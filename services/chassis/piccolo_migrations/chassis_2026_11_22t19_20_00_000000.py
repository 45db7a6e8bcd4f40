from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-22T19:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Outbox and idempotency records"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="chassis", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def create() -> None:
        await Raw.raw(
            """
            CREATE TABLE outbox (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                aggregate text NOT NULL,
                target text NOT NULL,
                method text NOT NULL,
                path text NOT NULL,
                body bytea NOT NULL,
                request_id text NOT NULL DEFAULT '',
                attempts integer NOT NULL DEFAULT 0,
                last_error text NOT NULL DEFAULT '',
                created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                parked_at timestamptz
            )
            """
        )
        await Raw.raw("CREATE INDEX outbox_due ON outbox (next_attempt_at, id) WHERE parked_at IS NULL")
        await Raw.raw("CREATE INDEX outbox_order ON outbox (aggregate, id)")
        await Raw.raw(
            """
            CREATE TABLE idempotency (
                scope text NOT NULL,
                key text NOT NULL,
                fingerprint bytea NOT NULL,
                status integer,
                headers jsonb,
                body bytea,
                created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                expires_at timestamptz NOT NULL,
                PRIMARY KEY (scope, key)
            )
            """
        )
        await Raw.raw("CREATE INDEX idempotency_expiry ON idempotency (expires_at)")

    async def drop() -> None:
        await Raw.raw("DROP TABLE idempotency")
        await Raw.raw("DROP TABLE outbox")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
