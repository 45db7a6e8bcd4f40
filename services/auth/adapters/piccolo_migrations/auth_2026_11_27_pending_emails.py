"""A new address is pending until its mailed link was opened, and asked for with the password.

Accounts that an earlier release moved by an access token alone, and whose owner had not signed in with the new address
since, go back to their former address; the new one becomes pending, without a link, until the password is given. Member
follows, and the former address is told. An account whose former address somebody else has by now stays where it is.

`former_email` and `email_order` stay for one release: an earlier one runs on these tables, and signs people in. It can
move nobody any more (the constraint): a move that nobody gave a password for would be believed from now on.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-27T03:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Pending addresses in place of former ones."

_FORWARDS = (
    "ALTER TABLE account ADD COLUMN pending_email text",
    """
    WITH moved_back AS (
        UPDATE account SET email = former_email, pending_email = email, former_email = NULL, email_verified = false
        WHERE former_email IS NOT NULL
            AND NOT EXISTS (SELECT FROM account AS other WHERE other.email = account.former_email)
        RETURNING id, name, email
    ), told_member AS (
        INSERT INTO outbox (aggregate, target, method, path, body)
        SELECT 'member:' || id, 'member', 'PUT', '/internal/members/' || id,
            convert_to(json_build_object('email', email, 'name', name)::text, 'UTF8')
        FROM moved_back
    )
    INSERT INTO outbox (aggregate, target, method, path, body)
    SELECT 'mail:' || gen_random_uuid(), 'mail', 'SEND', '/email_change_requested',
        convert_to(json_build_object('account', id, 'to', email)::text, 'UTF8')
    FROM moved_back
    """,
    "UPDATE account SET former_email = NULL WHERE former_email IS NOT NULL",
    "ALTER TABLE account ADD CONSTRAINT no_move_without_password CHECK (former_email IS NULL)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="auth", description=DESCRIPTION)

    class Raw(Table):
        """Runs statements; defined in here because a table keeps the first engine that it met."""

    async def settle() -> None:
        for statement in _FORWARDS:
            await Raw.raw(statement)

    async def undo() -> None:
        await Raw.raw("ALTER TABLE account DROP CONSTRAINT no_move_without_password")
        await Raw.raw("ALTER TABLE account DROP COLUMN pending_email")

    manager.add_raw(settle)
    manager.add_raw_backwards(undo)
    return manager
