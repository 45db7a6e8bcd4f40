"""How PostgreSQL answers a statement, as its planner says."""

import json
from collections.abc import Sequence
from typing import Any

from services.chassis.postgres import Database


async def scanned(database: Database, sql: str, arguments: Sequence[Any]) -> list[str]:
    """The tables that it would read from their first row to their last."""
    rows = await database.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
    return _scanned(json.loads(rows[0]["QUERY PLAN"])[0]["Plan"])


def _scanned(plan: dict[str, Any]) -> list[str]:
    own = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return own + [name for child in plan.get("Plans", ()) for name in _scanned(child)]
