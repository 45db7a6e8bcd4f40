"""Accepts what auth signed for this audience and has not ended since, without asking auth: by its public keys, and by
the stream in which it writes the sessions that it ends.

A signature costs more than everything else in reading a token, and a client sends the same one for ten minutes: what
was verified is remembered. Where Redis cannot say which sessions have ended, nobody is let in
(docs/decisions/0060-services-refuse-ended-sessions.md).
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge

from common.access_tokens.public_keys import KeySource, PublicKeys
from common.access_tokens.revocations import RevocationSource, RevocationWatch
from common.access_tokens.verified import VerifiedTokens
from common.access_tokens.verifier import Expected, Rejected, UnknownKey, verify
from services.chassis.errors import Unauthenticated, Unavailable
from services.chassis.identity import Identity
from services.chassis.settings import TokenSettings

REMEMBERED = 2048
PATIENCE = 0.5
"""Seconds that a request may wait for a key or for the revocations: below what a screen has (bff, 800 ms)."""
LARGEST = 8192
CLOCK_SKEW = 5
"""Seconds by which auth's clock may be ahead of ours; never added to a token's life."""
_STREAM, _SILENCE = "auth:revocations", 2.0
"""docs/contracts.md; after so many seconds without a word Redis counts as down."""


def expected(issuer: str, audience: str) -> Expected:
    """What auth's tokens for this audience say."""
    return Expected(issuer, audience, frozenset({"ES256"}), leeway=CLOCK_SKEW, max_size=LARGEST)


class TokenAuthenticator:
    """`clock` gives Unix seconds."""

    def __init__(
        self,
        keys: PublicKeys,
        revocations: RevocationWatch,
        wanted: Expected,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._revocations = revocations
        self._expected = wanted
        self._clock = clock
        self._verified: VerifiedTokens[Identity] = VerifiedTokens(REMEMBERED)

    @classmethod
    def of(cls, settings: TokenSettings, registry: CollectorRegistry) -> "TokenAuthenticator":
        made = cls(
            PublicKeys(KeySource(settings.auth_jwks_url, refresh=300, cooldown=5, timeout=2)),
            RevocationWatch(RevocationSource(settings.redis_url, _STREAM, _SILENCE)),
            expected(settings.token_issuer, settings.token_audience),
        )
        made._measure(registry)
        return made

    def _measure(self, registry: CollectorRegistry) -> None:
        for name, text, value in (
            (
                "revocations_current",
                "1 while it is known which sessions have ended.",
                self._revocations.current,
            ),
            (
                "revocations_known",
                "Ended sessions that are remembered.",
                lambda: len(self._revocations.revoked),
            ),
        ):
            Gauge(name, text, registry=registry).set_function(value)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Follows keys and revocations for as long as the context lasts."""
        async with self._keys, self._revocations:
            yield

    async def authenticate(self, token: str) -> Identity:
        """Raises Unauthenticated, Unavailable."""
        now = self._clock()
        identity = self._verified.get(token, self._keys.known, now)
        if identity is None:
            identity = await self._verify(token, now)
            self._verified.put(token, self._keys.known, identity.expires_at, identity)
        self._refuse_ended(identity)
        if not self._revocations.current():
            if not await self._revocations.settle(PATIENCE):
                raise Unavailable("Which sessions have been ended is not known for now.")
            self._refuse_ended(identity)
        return identity

    async def check(self) -> None:
        """Returns when tokens can be judged. Raises Unavailable."""
        if not self._keys.known:
            await self._keys.look_again("", PATIENCE)
        if not self._keys.known:
            raise Unavailable("Access tokens cannot be checked at the moment.")
        if not await self._revocations.settle(PATIENCE):
            raise Unavailable("Which sessions have been ended is not known for now.")

    async def _verify(self, token: str, now: float) -> Identity:
        verdict, looked = verify(token, self._keys.known, self._expected, now), True
        if isinstance(verdict, UnknownKey):
            looked = await self._keys.look_again(verdict.key_id, PATIENCE)
            verdict = verify(token, self._keys.known, self._expected, now)
        match verdict:
            case UnknownKey() if not (looked and self._keys.known):
                raise Unavailable("Access tokens cannot be checked at the moment.")
            case UnknownKey():
                raise Unauthenticated("The access token's key is not known.")
            case Rejected(reason):
                raise Unauthenticated(reason)
        return Identity(
            UUID(verdict.subject), UUID(verdict.session), frozenset(verdict.roles), verdict.expires, token
        )

    def _refuse_ended(self, identity: Identity) -> None:
        if str(identity.session) in self._revocations.revoked:
            raise Unauthenticated("The session has been ended.")
