"""The keys in the database. All of this happens in the transaction of the effect."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from services.chassis.idempotency.refusals import InProgress, KeyReused
from services.chassis.postgres import Database

WAIT_MS = 2000
"""How long a duplicate waits for the first request's transaction before it is told to come back."""


class Outcome(msgspec.Struct, frozen=True):
    """An answer that can be given again, byte for byte."""

    status: int
    headers: dict[str, str]
    body: bytes


class Reservation:
    """What `reserve` found: an outcome to replay, or None and the duty to `complete`."""

    def __init__(self, connection: asyncpg.Connection, scope: str, key: str, outcome: Outcome | None) -> None:
        self._connection = connection
        self._scope = scope
        self._key = key
        self.outcome = outcome

    async def complete(self, outcome: Outcome) -> None:
        await self._connection.execute(
            "UPDATE idempotency SET status = $3, headers = $4, body = $5 WHERE scope = $1 AND key = $2",
            self._scope,
            self._key,
            outcome.status,
            msgspec.json.encode(outcome.headers).decode(),
            outcome.body,
        )


class Records:
    """`ttl` is in seconds."""

    def __init__(self, database: Database, *, ttl: int) -> None:
        self._database = database
        self._ttl = ttl

    @asynccontextmanager
    async def reserve(self, scope: str, key: str, fingerprint: bytes) -> AsyncIterator[Reservation]:
        """Opens the transaction of the effect with the key reserved in it.

        The insert of a duplicate waits for the first request's transaction. If that commits, its outcome is found;
        if it fails, its reservation is gone with everything it did, and the duplicate takes its place. Raises
        InProgress where the first takes longer than WAIT_MS, KeyReused where the key was used for another request.
        """
        async with self._database.transaction() as connection:
            if await self._insert(connection, scope, key, fingerprint):
                yield Reservation(connection, scope, key, None)
                return
            outcome = await self._found(scope, key, fingerprint)
            if outcome is None:
                raise InProgress
            yield Reservation(connection, scope, key, outcome)

    async def outcome(self, scope: str, key: str, fingerprint: bytes) -> Outcome | None:
        """The outcome, if the request is done with; nobody waits for one that is under way. Raises KeyReused."""
        return await self._found(scope, key, fingerprint)

    async def sweep(self, batch: int) -> int:
        """Deletes expired records, at most `batch`. Returns how many. Safe to run in every replica."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "DELETE FROM idempotency WHERE (scope, key) IN (SELECT scope, key FROM idempotency "
                "WHERE expires_at < clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED) "
                "RETURNING 1",
                batch,
            )
        return len(rows)

    async def _found(self, scope: str, key: str, fingerprint: bytes) -> Outcome | None:
        rows = await self._database.fetch(
            "SELECT fingerprint, status, headers, body FROM idempotency WHERE scope = $1 AND key = $2 "
            "AND status IS NOT NULL AND expires_at >= clock_timestamp()",
            scope,
            key,
        )
        if not rows:
            return None
        (row,) = rows
        if row["fingerprint"] != fingerprint:
            raise KeyReused
        headers = msgspec.json.decode(row["headers"], type=dict[str, str])
        return Outcome(row["status"], headers, row["body"])

    async def _insert(self, connection: asyncpg.Connection, scope: str, key: str, fingerprint: bytes) -> bool:
        """One statement decides who is first; an expired record counts as none. It alone has a lock_timeout."""
        try:
            inserted = await connection.fetchval(
                """
                WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', $5, true))
                INSERT INTO idempotency AS held (scope, key, fingerprint, expires_at)
                SELECT $1::text, $2::text, $3::bytea, clock_timestamp() + make_interval(secs => $4) FROM patience
                ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = NULL,
                    headers = NULL, body = NULL, created_at = clock_timestamp(), expires_at = excluded.expires_at
                WHERE held.expires_at < clock_timestamp()
                RETURNING set_config('lock_timeout', '0', true)
                """,
                scope,
                key,
                fingerprint,
                self._ttl,
                str(WAIT_MS),
            )
        except asyncpg.LockNotAvailableError as fault:
            raise InProgress from fault
        return inserted is not None
