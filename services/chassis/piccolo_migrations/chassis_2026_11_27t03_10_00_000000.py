"""A refused message is a dead letter: `dead_letter_at` in place of `parked_at`.

The former version runs beside the new one during a rollout, and is what an operator goes back to. So the former column
and its index stay for one release, and a trigger keeps both columns equal. The next release drops all three.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T03:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Outbox: dead letters"

_FORWARDS = (
    "ALTER TABLE outbox ADD COLUMN dead_letter_at timestamptz",
    "UPDATE outbox SET dead_letter_at = parked_at WHERE parked_at IS NOT NULL",
    """
    CREATE FUNCTION outbox_former_column() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.dead_letter_at IS DISTINCT FROM OLD.dead_letter_at THEN
            NEW.parked_at := NEW.dead_letter_at;
        ELSE
            NEW.dead_letter_at := NEW.parked_at;
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER outbox_former_column BEFORE UPDATE OF dead_letter_at, parked_at ON outbox "
    "FOR EACH ROW EXECUTE FUNCTION outbox_former_column()",
    "CREATE INDEX outbox_waiting ON outbox (target, next_attempt_at, id) WHERE dead_letter_at IS NULL",
    "ALTER INDEX outbox_order RENAME TO outbox_aggregate",
)
_BACKWARDS = (
    "DROP TRIGGER outbox_former_column ON outbox",
    "DROP FUNCTION outbox_former_column",
    "ALTER INDEX outbox_aggregate RENAME TO outbox_order",
    "ALTER TABLE outbox DROP COLUMN dead_letter_at",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="chassis", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def run(statements: tuple[str, ...]) -> None:
        for statement in statements:
            await Raw.raw(statement)

    async def rename() -> None:
        await run(_FORWARDS)

    async def undo() -> None:
        await run(_BACKWARDS)

    manager.add_raw(rename)
    manager.add_raw_backwards(undo)
    return manager
