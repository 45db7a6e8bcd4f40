"""Whether PostgreSQL keeps what it says it has committed: it can be told not to, and answers are promises."""

import logging

from services.chassis.postgres import Database

_log = logging.getLogger(__name__)

_NEEDED = ("fsync", "full_page_writes", "synchronous_commit")


async def warn_unless_kept(database: Database) -> list[str]:
    """Logs an error where a crash of the server may undo what was answered; the settings that say so."""
    rows = await database.fetch(
        "SELECT name FROM pg_settings WHERE name = ANY($1) AND setting = 'off' ORDER BY name", list(_NEEDED)
    )
    off = [row["name"] for row in rows]
    if off:
        _log.error("a crash of the database may undo what was answered", extra={"settings_off": off})
    return off
