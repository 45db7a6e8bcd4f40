"""Sessions in PostgreSQL, which alone decides whether one is alive (docs/decisions/0043-ended-stays-ended.md).

Each change that only one caller may win is one statement. PostgreSQL down: the call raises, and the caller gets a
503; no session is opened, refreshed or taken for alive.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.auth.adapters import encryption
from services.auth.application.ports import Ended, Reused, Rotated
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Lifetimes, Session
from services.chassis.postgres import Database

_OPEN = """
INSERT INTO session (id, account, device, address, token, created_at, last_seen_at, ends_at)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
"""

_MAKE_ROOM = """
UPDATE session SET ended_at = $2 WHERE id IN (
    SELECT id FROM session WHERE account = $1 AND NOT told AND ended_at IS NULL AND ends_at > $2
    ORDER BY ends_at DESC, created_at DESC OFFSET $3 FOR UPDATE SKIP LOCKED
) RETURNING id, created_at
"""

# Of any number of callers with one token a single one finds it current; the others wait for that and go on to _REPEAT.
_ROTATE = """
WITH rotated AS (
    UPDATE session SET token = $3, last_seen_at = $5, ends_at = least($6, created_at + $7)
    WHERE id = $1 AND token = $2 AND ended_at IS NULL AND ends_at > $5
    RETURNING *
), forgotten AS (
    DELETE FROM former_token USING rotated WHERE former_token.session = rotated.id AND good_until <= $5
), kept AS (
    INSERT INTO former_token (token, session, sealed_successor, good_until)
    SELECT $2, id, $4, $8 FROM rotated
)
SELECT * FROM rotated
"""

_REPEAT = """
SELECT session.*, former_token.sealed_successor FROM session
LEFT JOIN former_token ON former_token.session = session.id AND former_token.token = $2 AND good_until > $3
WHERE id = $1 AND ended_at IS NULL AND ends_at > $3
"""

_END_REUSED = """
UPDATE session SET ended_at = $3 WHERE id = $1 AND token <> $2 AND ended_at IS NULL RETURNING account
"""

# With what ended before and may not have been told yet: who asks again must not be answered before it is.
_END = """
WITH asked AS (
    SELECT id, ended_at IS NULL AS fresh FROM session
    WHERE {} AND NOT told AND (ended_at IS NOT NULL OR ends_at > $2)
    ORDER BY id FOR UPDATE
)
UPDATE session SET ended_at = coalesce(ended_at, $2) FROM asked WHERE session.id = asked.id
RETURNING session.id, session.account, asked.fresh
"""
_END_ONE = _END.format("id = $1")
_END_ALL = _END.format("account = $1 AND id IS DISTINCT FROM $3")


class PostgresSessions:
    """`most`: living sessions of one account; the one that would end first makes room for a new one."""

    def __init__(self, database: Database, lifetimes: Lifetimes, *, most: int = 500) -> None:
        self._database = database
        self._lifetimes = lifetimes
        self._most = most

    async def open(self, session: Session, token: RefreshToken) -> Ended:
        now = session.created_at
        async with self._database.transaction():
            await self._database.fetch(
                _OPEN,
                session.id,
                session.account,
                session.device,
                session.address,
                token.digest,
                _moment(now),
                _moment(now + min(self._lifetimes.idle, self._lifetimes.absolute)),
            )
            surplus = await self._database.fetch(_MAKE_ROOM, session.account, _moment(now), self._most)
        first = sorted(surplus, key=lambda row: row["created_at"])
        return Ended(session.account, tuple(row["id"] for row in first), len(first))

    async def rotate(
        self, presented: RefreshToken, successor: RefreshToken, now: float
    ) -> Rotated | Reused | None:
        key = _successor_key(presented)
        rotated = await self._database.fetch(
            _ROTATE,
            presented.session,
            presented.digest,
            successor.digest,
            encryption.encrypt(key, successor.text.encode()),
            _moment(now),
            _moment(now + self._lifetimes.idle),
            timedelta(seconds=self._lifetimes.absolute),
            _moment(now + self._lifetimes.grace),
        )
        if rotated:
            return Rotated(_session(rotated[0]), successor.text)
        repeated = await self._database.fetch(_REPEAT, presented.session, presented.digest, _moment(now))
        if not repeated:
            return None
        sealed = repeated[0]["sealed_successor"]
        if sealed is not None:
            return Rotated(_session(repeated[0]), encryption.decrypt(key, sealed).decode())
        ended = await self._database.fetch(_END_REUSED, presented.session, presented.digest, _moment(now))
        return Reused(Ended(ended[0]["account"], (presented.session,), 1)) if ended else None

    async def find(self, id_: UUID, now: float) -> Session | None:
        found = await self._database.fetch(
            "SELECT id, account, device, address, created_at, last_seen_at FROM session "
            "WHERE id = $1 AND ended_at IS NULL AND ends_at > $2",
            id_,
            _moment(now),
        )
        return _session(found[0]) if found else None

    async def of(self, account: UUID, now: float) -> list[Session]:
        found = await self._database.fetch(
            "SELECT * FROM session WHERE account = $1 AND NOT told AND ended_at IS NULL AND ends_at > $2 "
            "ORDER BY last_seen_at DESC, created_at DESC",
            account,
            _moment(now),
        )
        return [_session(row) for row in found]

    async def end(self, id_: UUID, now: float) -> Ended:
        return _ended(await self._database.fetch(_END_ONE, id_, _moment(now)))

    async def end_all(self, account: UUID, now: float, *, except_for: UUID | None = None) -> Ended:
        return _ended(await self._database.fetch(_END_ALL, account, _moment(now), except_for))

    async def ended_since(self, moment: float) -> list[tuple[UUID, float]]:
        """Every session that ended after it, and when: what the revocation log is made of."""
        rows = await self._database.fetch(
            "SELECT id, ended_at FROM session WHERE ended_at > $1 ORDER BY ended_at", _moment(moment)
        )
        return [(row["id"], row["ended_at"].timestamp()) for row in rows]

    async def untold(self, before: float, most: int) -> list[tuple[UUID, float]]:
        """Sessions that ended before `before` and of which nobody has said yet that the log has them."""
        rows = await self._database.fetch(
            "SELECT id, ended_at FROM session WHERE ended_at < $1 AND ended_at IS NOT NULL AND NOT told "
            "ORDER BY ended_at LIMIT $2",
            _moment(before),
            most,
        )
        return [(row["id"], row["ended_at"].timestamp()) for row in rows]

    async def mark_told(self, sessions: Sequence[UUID]) -> None:
        await self._database.fetch("UPDATE session SET told = true WHERE id = ANY($1)", list(sessions))

    async def sweep(self, now: float, most: int) -> int:
        """Deletes what no token can name any more, at most `most`; how many."""
        rows = await self._database.fetch(
            "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE ended_at < $1 OR ends_at < $1 "
            "LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1",
            _moment(self._lifetimes.forgotten_before(now)),
            most,
        )
        return len(rows)


def _ended(rows: Sequence[Any]) -> Ended:
    account = next((row["account"] for row in rows if row["fresh"]), None)
    return Ended(account, tuple(row["id"] for row in rows), sum(row["fresh"] for row in rows))


def _successor_key(presented: RefreshToken) -> bytes:
    """Only who has the former token can open its successor: the store alone cannot."""
    return encryption.derive_key(presented.text.encode(), "refresh token successor")


def _moment(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)


def _session(row: Any) -> Session:
    return Session(
        id=row["id"],
        account=row["account"],
        device=row["device"],
        address=row["address"],
        created_at=row["created_at"].timestamp(),
        last_seen_at=row["last_seen_at"].timestamp(),
    )
