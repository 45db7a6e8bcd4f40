"""A member's address is its account's, which auth alone changes (docs/decisions/0062).

Earlier releases changed it here first. What auth refused since is given up: the member shows the account's address, and
the message that nobody will take goes. One that still waits is delivered, and auth makes it a pending address.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T03:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "A member's address is its account's"

_FORWARDS = (
    """
    UPDATE member SET email = account_email, version = version + 1, updated_at = statement_timestamp()
    WHERE account_email IS NOT NULL AND email <> account_email AND deleted_at IS NULL
    """,
    "DELETE FROM outbox WHERE aggregate LIKE 'account:%:email' AND dead_letter_at IS NOT NULL",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="member", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def settle() -> None:
        for statement in _FORWARDS:
            await Raw.raw(statement)

    async def undo() -> None:
        """What was settled is right for the release before, too."""

    manager.add_raw(settle)
    manager.add_raw_backwards(undo)
    return manager
