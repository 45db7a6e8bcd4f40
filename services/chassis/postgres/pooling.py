"""Finds out whether a pooler (PgBouncer and its like) stands in front of PostgreSQL, and what is then done otherwise.

A pooler may give each transaction another server connection. So nothing may hang on a session: no prepared statement
outlives its transaction, every statement is in a transaction, and the limits are set in each of them. A pooler refuses
most startup parameters, too. Straight at PostgreSQL the limits are set once a connection and statements stay prepared.
"""

from collections.abc import Mapping
from typing import Any

from services.chassis.postgres import hosts

_TAKEN_BY_POOLERS = ("application_name", "timezone")
"""Startup parameters that PgBouncer keeps for its clients, whatever its version and settings."""


async def is_pooled(config: Mapping[str, Any]) -> bool:
    """Connects once. A pooler gives its clients numbers of its own for processes, which are not the server's.

    Raises what asyncpg raises where nothing can be reached.
    """
    connection = await hosts.connect(**behind_pooler(config))
    try:
        async with connection.transaction():
            process = await connection.fetchval("SELECT pg_backend_pid()")
        return bool(process != connection.get_server_pid())
    finally:
        await connection.close(timeout=config["timeout"])


def behind_pooler(config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as a pooler takes it."""
    settings = {name: value for name, value in config["server_settings"].items() if name in _TAKEN_BY_POOLERS}
    return {**config, "server_settings": settings, "statement_cache_size": 0}


def limits(config: Mapping[str, Any]) -> str:
    """What `behind_pooler` leaves out, as statements that begin each transaction. The values are our own."""
    return "; ".join(
        f"SET LOCAL {name} = '{value}'"
        for name, value in config["server_settings"].items()
        if name not in _TAKEN_BY_POOLERS
    )
