"""The signing keys that this process holds: read from the database, chosen from by `domain/keys.py`."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from joserfc import jwt
from joserfc.jwk import ECKey

from common.access_tokens.jwk_set import VerificationKey
from services.auth.adapters.keys_postgres import PostgresKeys
from services.auth.application.ports import Clock
from services.auth.domain import access_tokens
from services.auth.domain.access_tokens import Claims
from services.auth.domain.keys import Schedule

_log = logging.getLogger(__name__)

REREAD_EVERY = 15.0
"""Seconds. A rotation must publish its key for longer than this before the key signs."""


class Keyring:
    """Signs access tokens, and has the public keys of all that are alive. `outlives`: see Schedule."""

    def __init__(self, keys: PostgresKeys, *, outlives: int, clock: Clock = time.time) -> None:
        self._stored = keys
        self._outlives = outlives
        self._clock = clock
        self._schedule = Schedule((), outlives)
        self._private: dict[str, ECKey] = {}
        self._public: dict[str, VerificationKey] = {}
        self._verifying: Mapping[str, VerificationKey] = {}

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Makes the first key where there is none, and follows rotations until the end."""
        await self._stored.ensure(self._clock())
        await self.reread()
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def reread(self) -> None:
        stored = await self._stored.all()
        self._private = {key.times.kid: key.private for key in stored}
        self._public = {key.times.kid: VerificationKey(access_tokens.ALGORITHM, key.public) for key in stored}
        self._schedule = Schedule([key.times for key in stored], self._outlives)

    def sign(self, claims: Claims) -> str:
        kid = self._schedule.signing(self._clock())
        if kid is None:
            raise RuntimeError("no signing key is in force")
        header = {"alg": access_tokens.ALGORITHM, "typ": access_tokens.TYPE, "kid": kid}
        return jwt.encode(header, dict(claims), self._private[kid], algorithms=[access_tokens.ALGORITHM])

    def verifying(self) -> Mapping[str, VerificationKey]:
        """The published keys by `kid`; the same object for as long as they are the same keys."""
        kids = self._schedule.published(self._clock())
        if kids != list(self._verifying):
            self._verifying = {kid: self._public[kid] for kid in kids}
        return self._verifying

    def published(self) -> list[Mapping[str, str]]:
        return [
            {name: str(value) for name, value in key.key.as_dict(private=False).items()}
            for key in self.verifying().values()
        ]

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(REREAD_EVERY)
            try:
                await self.reread()
                await self._stored.delete(self._schedule.retired(self._clock()))
            except (
                Exception
            ) as fault:  # whatever it is, the keys at hand stay good and the next turn tries again
                _log.warning("signing keys were not read again", extra={"cause": repr(fault)})
