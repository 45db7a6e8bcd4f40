"""Brings a database to the schema that the code expects, at the start of every replica.

The migrations are Piccolo's own files, so its command line can make and run them as well. They run in one transaction
under an advisory lock: replicas that start at once wait for the first and then find nothing to do, and a migration
that fails leaves nothing behind.
"""

import contextlib
import importlib
import io
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from services.chassis.postgres import Database

_log = logging.getLogger(__name__)

# Any number will do that nothing else in the database uses as an advisory lock.
_LOCK = 0x6D696772
_LOCK_TIMEOUT_MS = 60_000
_ID = re.compile(r'^ID = "([^"]+)"$', re.MULTILINE)
_ENGINE_MODULE = "services.chassis.piccolo_engine"

CHASSIS = ("chassis", "services.chassis.piccolo_migrations")
"""The chassis' own tables (outbox, idempotency), for a service that uses them."""


async def migrate(database: Database, *apps: tuple[str, str]) -> list[str]:
    """Runs what has not run yet of each (app name, package of migration files). Returns the ids that it ran."""
    async with database.patient_transaction() as connection:
        # Waiting is limited, here and for tables that are in use; working is not: an index may take its time.
        await connection.execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (id SERIAL PRIMARY KEY, name VARCHAR(200) NOT NULL DEFAULT '', "
            "app_name VARCHAR(200) NOT NULL DEFAULT '', ran_on TIMESTAMP NOT NULL DEFAULT current_timestamp)"
        )
        done = {(row["app_name"], row["name"]) for row in await connection.fetch("SELECT * FROM migration")}
        ran = []
        for app_name, package in apps:
            pending = [(id_, module) for id_, module in _listed(package) if (app_name, id_) not in done]
            await _run(database, [module for _, module in pending])
            for id_, _ in pending:
                await connection.execute(
                    "INSERT INTO migration (name, app_name) VALUES ($1, $2)", id_, app_name
                )
                ran.append(id_)
    if ran:
        _log.info("migrated", extra={"migrations": ran})
    return ran


async def _run(database: Database, modules: Sequence[str]) -> None:
    if not modules:
        return
    # Piccolo looks its engine up by a module's name; it prints, and our output is one JSON object a line.
    engine_module = importlib.import_module(_ENGINE_MODULE)
    os.environ.setdefault("PICCOLO_CONF", _ENGINE_MODULE)
    engine_module.DB = database.engine  # type: ignore[attr-defined]
    with contextlib.redirect_stdout(io.StringIO()):
        for name in modules:
            manager = await importlib.import_module(name).forwards()
            await manager.run()


def _listed(package: str) -> list[tuple[str, str]]:
    """The (id, module) of each migration, in their order.

    Read, not imported: a migration imports Piccolo's schema tools, 8 MB that a start with nothing to do is spared.
    """
    folder = Path(next(iter(importlib.import_module(package).__path__)))
    found = []
    for file in folder.glob("*.py"):
        match = _ID.search(file.read_text(encoding="utf-8"))
        if match:
            found.append((match[1], f"{package}.{file.stem}"))
    return sorted(found)
