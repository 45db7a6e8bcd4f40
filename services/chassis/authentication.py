"""Accepts what auth signed for this audience, by auth's public keys, and remembers what it has verified.

A signature costs more than everything else in reading a token, and a client sends the same one for ten minutes.
Revocation is the gateway's business (docs/contracts.md); here a token is good until it expires.
"""

import time
from collections.abc import Callable, Mapping

import msgspec
from joserfc.jwk import ECKey

from services.chassis import tokens
from services.chassis.errors import Unauthenticated
from services.chassis.identity import Identity
from services.chassis.jwks import KeySet

REMEMBERED = 2048


class _Verified(msgspec.Struct, frozen=True):
    """`kid` is the key's that signed it, so that a token that is known is not read again."""

    identity: Identity
    kid: str | None


class JwksAuthenticator:
    """`clock` gives Unix seconds."""

    def __init__(
        self, keys: KeySet, *, issuer: str, audience: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._verified: dict[str, _Verified] = {}
        self._verified_with: Mapping[str, ECKey] = {}

    async def authenticate(self, token: str) -> Identity:
        known = self._verified.get(token)
        kid = known.kid if known is not None else tokens.key_id(token)
        keys = await self._keys.for_kid(kid)
        if keys is not self._verified_with:
            # Auth may have withdrawn a key.
            self._verified.clear()
            self._verified_with = keys
            known = None
        if known is not None and self._clock() < known.identity.expires_at:
            return known.identity
        outcome = tokens.verify(token, keys, self._clock(), issuer=self._issuer, audience=self._audience)
        if isinstance(outcome, tokens.Rejected):
            raise Unauthenticated(outcome.value)
        identity = Identity(outcome.sub, outcome.sid, frozenset(outcome.roles), outcome.exp, token)
        if len(self._verified) >= REMEMBERED:
            self._verified.pop(next(iter(self._verified)))
        self._verified[token] = _Verified(identity, kid)
        return identity
