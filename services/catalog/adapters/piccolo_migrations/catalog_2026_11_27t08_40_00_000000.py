"""A variant can be taken off sale and keep its id, its stock and its journal.

The release before knows nothing of the column: what it writes is for sale, as all variants were.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T08:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Variants that are not for sale"

FORWARDS = (
    "ALTER TABLE variant ADD COLUMN active boolean NOT NULL DEFAULT true",
    # A shopkeeper's list of a category has drafts as well.
    "CREATE INDEX product_by_category_any_status ON product (category_id, created_at, id) WHERE deleted_at IS NULL",
)
BACKWARDS = (
    "DROP INDEX product_by_category_any_status",
    "ALTER TABLE variant DROP COLUMN active",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def add() -> None:
        for statement in FORWARDS:
            await Raw.raw(statement)

    async def drop() -> None:
        for statement in BACKWARDS:
            await Raw.raw(statement)

    manager.add_raw(add)
    manager.add_raw_backwards(drop)
    return manager
