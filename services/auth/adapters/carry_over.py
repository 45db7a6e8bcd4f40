"""Fetches the sessions that an earlier release kept in Redis, once, so that nobody is signed out by the update.

The migration that made the table of sessions left a note where there were accounts. It goes in the transaction that
brings the sessions over: afterwards what Redis has counts for nothing, be it an old copy that came back. So processes
of the earlier release must have ended before (docs/operations.md). Redis is asked account by account, since it lists
auth's keys to nobody. Redis down: the start fails and is tried again.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.auth.adapters.revocations_redis import STREAM
from services.auth.domain.sessions import Lifetimes
from services.chassis.postgres import Database
from services.chassis.redis import Client

_log = logging.getLogger(__name__)

_AT_ONCE = 500
_FIELDS = ("account", "device", "address", "token", "created_at", "last_seen_at")

_KEEP = """
INSERT INTO session (id, account, device, address, token, created_at, last_seen_at, ends_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING
"""

_KEEP_ENDED = """
INSERT INTO session (id, account, device, address, token, created_at, last_seen_at, ends_at, ended_at, told)
VALUES ($1, $1, '', '', '', $2, $2, $2, $2, true) ON CONFLICT (id) DO NOTHING
"""
"""What is known of a session that the revocation log has: the log can be rebuilt with it."""


async def sessions(database: Database, redis: Client, lifetimes: Lifetimes, now: float) -> int:
    """How many were brought over."""
    if not await database.fetch("SELECT FROM carry_over_due"):
        return 0
    count = 0
    async with database.patient_transaction() as connection:
        # Who starts at the same moment waits here, and finds nothing left to do.
        if await connection.fetchval("DELETE FROM carry_over_due RETURNING true") is None:
            return 0
        accounts = [row["id"] for row in await connection.fetch("SELECT id FROM account")]
        for first in range(0, len(accounts), _AT_ONCE):
            found = await _living(redis, accounts[first : first + _AT_ONCE], lifetimes, now)
            await connection.executemany(_KEEP, found)
            count += len(found)
        await connection.executemany(_KEEP_ENDED, await _ended(redis, lifetimes))
    _log.info("sessions were carried over from Redis", extra={"sessions": count})
    return count


async def _living(
    redis: Client, accounts: Sequence[UUID], lifetimes: Lifetimes, now: float
) -> list[tuple[object, ...]]:
    async with redis.pipeline(transaction=False) as pipeline:
        listed = [pipeline.zrange(f"auth:account:{account}:sessions", 0, -1) for account in accounts]
    ids = [UUID(bytes(id_).decode()) for one in listed for id_ in await one]
    if not ids:
        return []
    async with redis.pipeline(transaction=False) as pipeline:
        asked = [pipeline.hmget(f"auth:session:{id_}", _FIELDS) for id_ in ids]
    rows = [_row(id_, await found, lifetimes) for id_, found in zip(ids, asked, strict=True)]
    return [row for row in rows if row is not None and row[-1] > _moment(now)]


async def _ended(redis: Client, lifetimes: Lifetimes) -> list[tuple[UUID, datetime]]:
    lived_on = lifetimes.revoked_until(0)
    entries = [entry.field_values for entry in await redis.xrange(STREAM)]
    return [
        (UUID(_text(entry[b"sid"])), _moment(float(entry[b"exp"]) - lived_on))
        for entry in entries
        if {b"sid", b"exp"} <= set(entry)
    ]


def _row(id_: UUID, found: Any, lifetimes: Lifetimes) -> tuple[Any, ...] | None:
    if any(value is None for value in found):
        return None
    account, device, address, token, created, seen = (bytes(value).decode() for value in found)
    ends = min(float(seen) + lifetimes.idle, float(created) + lifetimes.absolute)
    return (
        *(id_, UUID(account), device, address, token),
        *(_moment(float(created)), _moment(float(seen)), _moment(ends)),
    )


def _moment(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
