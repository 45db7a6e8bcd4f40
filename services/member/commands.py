"""What can be done with the member database from the command line, beside serving."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

from services.chassis.migrations import CHASSIS, migrate
from services.chassis.outbox import command as outbox_command
from services.chassis.postgres import Database
from services.member.adapters import load_data
from services.member.settings import Settings

MIGRATIONS = (CHASSIS, ("member", "services.member.adapters.piccolo_migrations"))


def outbox(settings: Settings, arguments: Sequence[str]) -> int:
    """`outbox list|retry`"""
    return outbox_command.run(settings.database_url, arguments)


def migrate_now(settings: Settings, _: Sequence[str]) -> int:
    """`migrate`: what every start does, by itself."""

    async def act(database: Database) -> str:
        ran = await migrate(database, *MIGRATIONS)
        return f"ran {', '.join(ran)}" if ran else "nothing to do"

    return asyncio.run(_with_database(settings, act))


def seed_load(settings: Settings, arguments: Sequence[str]) -> int:
    """`seed-load [COUNT]`: many members for measuring; refused in production."""
    count = int(arguments[0]) if arguments else 100_000
    if settings.production:
        sys.stderr.write("seed-load is for measuring, not for production\n")
        return 1

    async def act(database: Database) -> str:
        await migrate(database, *MIGRATIONS)
        return f"added {await load_data.load(database, count)} members"

    return asyncio.run(_with_database(settings, act))


async def _with_database(settings: Settings, act: Callable[[Database], Awaitable[str]]) -> int:
    database = Database(settings.database_url, application="member command", pool_max=2)
    async with database.lifespan():
        sys.stdout.write(await act(database) + "\n")
    return 0
