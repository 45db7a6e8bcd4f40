"""Connects to a PostgreSQL of several hosts, one of which may be gone without a word.

The driver tries them in turn within one limit: a machine that answers nothing, not even a refusal, would use all of it
up, and the standby that has taken over would never be asked.
"""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

EACH_HOST_S = 0.8
"""For one of several hosts; a caller waits for a connection of the pool for 2 s."""

_latest: dict[str, str] = {}
"""By URL, the host that was taken last: it is tried first."""


async def connect(dsn: str, **settings: Any) -> asyncpg.Connection:
    """As asyncpg.connect, which tells what it raises; with several hosts, that of the last one."""
    each_alone = alternatives(dsn)
    if len(each_alone) == 1:
        return await asyncpg.connect(dsn, **settings)
    fault: Exception | None = None
    for one in sorted(each_alone, key=lambda one: one != _latest.get(dsn)):
        try:
            connection = await asyncpg.connect(one, **{**settings, "timeout": EACH_HOST_S})
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError) as passed_by:
            fault = passed_by
        except asyncpg.OperatorInterventionError as passed_by:  # it starts, or stops
            fault = passed_by
        else:
            _latest[dsn] = one
            return connection
    assert fault is not None  # noqa: S101 - there are two hosts at least, and none was taken
    raise fault


def alternatives(dsn: str) -> list[str]:
    """The URL with each of its hosts alone, in their order."""
    parts = urlsplit(dsn)
    credentials, at, hosts = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(netloc=f"{credentials}{at}{host}")) for host in hosts.split(",")]
