"""How PostgreSQL answers a statement, as its planner says."""

import json
from collections.abc import Sequence
from typing import Any

from services.chassis.postgres import Database


async def settle(database: Database) -> None:
    """Of every table with rows the planner knows all, and nothing changes that: plans are the same in each run.

    It reads an index alone where a page's rows are known to be visible to all. A look of autovacuum at another table
    keeps a moment's rows from being so, and VACUUM passes by a page that somebody reads. An empty table stays as it
    is, one that nobody has looked at: of one that is known to be empty any plan reads all.
    """
    for row in await database.fetch(_TABLES):
        name = row["name"]
        if await database.fetch(f"SELECT FROM {name} LIMIT 1"):
            await database.fetch(f"ALTER TABLE {name} SET (autovacuum_enabled = off)")
            await database.fetch(f"VACUUM ANALYZE {name}")
    while partly := await database.fetch(f"{_TABLES} AND relallvisible < relpages"):
        for row in partly:
            await database.fetch(f"VACUUM {row['name']}")


_TABLES = """
    SELECT oid::regclass::text AS name FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


async def scanned(database: Database, sql: str, arguments: Sequence[Any]) -> list[str]:
    """The tables that it would read from their first row to their last."""
    rows = await database.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
    return _scanned(json.loads(rows[0]["QUERY PLAN"])[0]["Plan"])


def _scanned(plan: dict[str, Any]) -> list[str]:
    own = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return own + [name for child in plan.get("Plans", ()) for name in _scanned(child)]
