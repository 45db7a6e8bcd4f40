"""Mailed links in PostgreSQL: what was mailed works and what was taken stays taken, whatever died meanwhile.

PostgreSQL down: the call raises, and no link is given or taken.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.chassis.postgres import Database

_KEPT_FOR = 4 * 86400
"""Seconds for which an expired link is remembered, a taken one among them: longer than its mail is tried
(mail_writer.py), so that nothing is put in its place."""


class PostgresLinks:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, kind: str, digest: str, content: Mapping[str, str], lifetime: int) -> bool:
        rows = await self._database.fetch(
            "INSERT INTO mailed_link AS link (kind, digest, content, expires_at) "
            "VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4)) "
            "ON CONFLICT (kind, digest) DO UPDATE SET content = excluded.content, expires_at = excluded.expires_at "
            "WHERE link.taken_at IS NULL RETURNING true",
            kind,
            digest,
            msgspec.json.encode(dict(content)).decode(),
            lifetime,
        )
        return bool(rows)

    async def look(self, kind: str, digest: str) -> Mapping[str, str] | None:
        return _content(
            await self._database.fetch(
                "SELECT content FROM mailed_link "
                "WHERE kind = $1 AND digest = $2 AND taken_at IS NULL AND expires_at > clock_timestamp()",
                kind,
                digest,
            )
        )

    async def take(self, kind: str, digest: str) -> Mapping[str, str] | None:
        return _content(
            await self._database.fetch(
                "UPDATE mailed_link SET taken_at = clock_timestamp() "
                "WHERE kind = $1 AND digest = $2 AND taken_at IS NULL AND expires_at > clock_timestamp() "
                "RETURNING content",
                kind,
                digest,
            )
        )

    async def sweep(self, most: int) -> int:
        """Deletes what expired long ago, at most `most`; how many."""
        rows = await self._database.fetch(
            "DELETE FROM mailed_link WHERE (kind, digest) IN (SELECT kind, digest FROM mailed_link "
            "WHERE expires_at < clock_timestamp() - make_interval(secs => $1) LIMIT $2 FOR UPDATE SKIP LOCKED) "
            "RETURNING 1",
            _KEPT_FOR,
            most,
        )
        return len(rows)


def _content(rows: list[Any]) -> Mapping[str, str] | None:
    return msgspec.json.decode(rows[0]["content"], type=dict[str, str]) if rows else None
