"""Signing keys in PostgreSQL: public parts as JWK, private parts sealed with a key of the environment's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import ECKey

from services.auth.adapters import encryption
from services.auth.adapters.tables import SigningKeyRow
from services.auth.domain import access_tokens
from services.auth.domain.keys import KeyTimes
from services.chassis.postgres import Database

_LOCK = 0x61757468  # "auth": one process at a time makes a key


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    times: KeyTimes
    public: ECKey
    private: ECKey = field(repr=False)


class PostgresKeys:
    """`encryption_key`: 32 bytes. A key that it does not open stops the start (encryption.DecryptionFailed)."""

    def __init__(self, database: Database, encryption_key: bytes) -> None:
        self._database = database
        self._encryption_key = encryption_key

    async def all(self) -> list[StoredKey]:
        rows = await SigningKeyRow.select().order_by(SigningKeyRow.signs_from)
        return [self._open(row) for row in rows]

    async def ensure(self, now: float) -> None:
        """Makes a key that signs at once where there is none: once, however many processes start together."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if not await SigningKeyRow.exists():
                await self._add(now, signs_from=now)

    async def begin(self, now: float, *, signs_from: float) -> str | None:
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if await SigningKeyRow.exists().where(
                SigningKeyRow.signs_from > datetime.fromtimestamp(now, UTC)
            ):
                return None
            return await self._add(now, signs_from=signs_from)

    async def replace_all(self, now: float) -> str:
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await SigningKeyRow.delete(force=True)
            return await self._add(now, signs_from=now)

    async def delete(self, kids: Sequence[str]) -> None:
        if kids:
            await SigningKeyRow.delete().where(SigningKeyRow.kid.is_in(list(kids)))

    async def _add(self, now: float, *, signs_from: float) -> str:
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": access_tokens.ALGORITHM}, private=True)
        kid = key.thumbprint()  # RFC 7638
        private = json.dumps({**key.as_dict(private=True), "kid": kid}).encode()
        await SigningKeyRow.insert(
            SigningKeyRow(
                kid=kid,
                public=json.dumps({**key.as_dict(private=False), "kid": kid}),
                sealed_private=encryption.encrypt(self._encryption_key, private, bound_to=kid.encode()),
                created_at=datetime.fromtimestamp(now, UTC),
                signs_from=datetime.fromtimestamp(signs_from, UTC),
            )
        )
        return kid

    def _open(self, row: dict[str, Any]) -> StoredKey:
        kid: str = row["kid"]
        try:
            private = encryption.decrypt(self._encryption_key, row["sealed_private"], bound_to=kid.encode())
        except encryption.DecryptionFailed as error:
            raise encryption.DecryptionFailed(
                f"AUTH_KEY_ENCRYPTION_KEY does not open signing key {kid}"
            ) from error
        return StoredKey(
            times=_times(row),
            public=ECKey.import_key(json.loads(row["public"])),
            private=ECKey.import_key(json.loads(private)),
        )


def _times(row: dict[str, Any]) -> KeyTimes:
    return KeyTimes(
        kid=row["kid"], created_at=row["created_at"].timestamp(), signs_from=row["signs_from"].timestamp()
    )
