from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-22T19:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Members, with an index for every listed query"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="member", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def create() -> None:
        # COLLATE "C": sorted by code point, so that the same indexes serve sorting, pages and prefix search.
        await Raw.raw(
            """
            CREATE TABLE member (
                id uuid PRIMARY KEY,
                email text COLLATE "C" NOT NULL,
                name text COLLATE "C" NOT NULL,
                name_folded text COLLATE "C" NOT NULL,
                phone text,
                grade text NOT NULL DEFAULT 'standard',
                addresses jsonb NOT NULL DEFAULT '[]',
                marketing_consent boolean NOT NULL DEFAULT false,
                consent_changed_at timestamptz,
                account_email text,
                account_name text,
                created_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL,
                deleted_at timestamptz,
                version integer NOT NULL DEFAULT 1
            )
            """
        )
        for statement in (
            "CREATE UNIQUE INDEX member_email_unique ON member (email) "
            "WHERE deleted_at IS NULL AND account_email IS NULL",
            "CREATE INDEX member_by_email ON member (email, id) WHERE deleted_at IS NULL",
            "CREATE INDEX member_by_name ON member (name_folded, id) WHERE deleted_at IS NULL",
            "CREATE INDEX member_by_creation ON member (created_at, id) WHERE deleted_at IS NULL",
            "CREATE INDEX member_by_grade ON member (grade, created_at, id) WHERE deleted_at IS NULL",
        ):
            await Raw.raw(statement)

    async def drop() -> None:
        await Raw.raw("DROP TABLE member")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
