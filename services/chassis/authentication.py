"""Accepts what auth signed for this audience, by auth's public keys, and remembers what it has verified.

A signature costs more than everything else in reading a token, and a client sends the same one for ten minutes.
Revocation is the gateway's business (docs/contracts.md); here a token is good until it expires.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from common.access_tokens.public_keys import KeySource, PublicKeys
from common.access_tokens.verified import VerifiedTokens
from common.access_tokens.verifier import Expected, Rejected, UnknownKey, verify
from services.chassis.errors import Unauthenticated, Unavailable
from services.chassis.identity import Identity
from services.chassis.settings import TokenSettings

REMEMBERED = 2048
PATIENCE = 0.5
"""Seconds that a request may wait for a key: below what a screen has (bff, 800 ms). The fetch goes on without it."""
LARGEST = 8192
CLOCK_SKEW = 5
"""Seconds by which auth's clock may be ahead of ours; never added to a token's life."""


def expected(issuer: str, audience: str) -> Expected:
    """What auth's tokens for this audience say."""
    return Expected(issuer, audience, frozenset({"ES256"}), leeway=CLOCK_SKEW, max_size=LARGEST)


class TokenAuthenticator:
    """`clock` gives Unix seconds."""

    def __init__(self, keys: PublicKeys, wanted: Expected, *, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._expected = wanted
        self._clock = clock
        self._verified: VerifiedTokens[Identity] = VerifiedTokens(REMEMBERED)

    @classmethod
    def of(cls, settings: TokenSettings) -> "TokenAuthenticator":
        return cls(
            PublicKeys(KeySource(settings.auth_jwks_url, refresh=300, cooldown=5, timeout=2)),
            expected(settings.token_issuer, settings.token_audience),
        )

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Follows auth's keys for as long as the context lasts."""
        async with self._keys:
            yield

    async def authenticate(self, token: str) -> Identity:
        """Raises Unauthenticated, Unavailable."""
        now = self._clock()
        identity = self._verified.get(token, self._keys.known, now)
        if identity is None:
            identity = await self._verify(token, now)
            self._verified.put(token, self._keys.known, identity.expires_at, identity)
        return identity

    async def check(self) -> None:
        """Returns when tokens can be judged. Raises Unavailable."""
        if not self._keys.known:
            await self._keys.look_again("", PATIENCE)
        if not self._keys.known:
            raise Unavailable("Access tokens cannot be checked at the moment.")

    async def _verify(self, token: str, now: float) -> Identity:
        verdict = verify(token, self._keys.known, self._expected, now)
        if isinstance(verdict, UnknownKey):
            await self._keys.look_again(verdict.key_id, PATIENCE)
            verdict = verify(token, self._keys.known, self._expected, now)
        match verdict:
            case UnknownKey() if not self._keys.known:
                raise Unavailable("Access tokens cannot be checked at the moment.")
            case UnknownKey():
                raise Unauthenticated("The access token's key is not known.")
            case Rejected(reason):
                raise Unauthenticated(reason)
        return Identity(
            UUID(verdict.subject), UUID(verdict.session), frozenset(verdict.roles), verdict.expires, token
        )
