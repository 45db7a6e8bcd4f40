"""Who calls auth itself: the access token by auth's own keys, and its session alive at this moment.

Other services trust a token until it expires or the gateway hears of its end; auth, which has the sessions,
asks.
"""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from joserfc.jwk import ECKey
from joserfc.jws import extract_compact

from services.auth.adapters.keyring import Keyring
from services.auth.application.issuing import Issuer
from services.auth.application.session_care import SessionCare
from services.chassis import tokens
from services.chassis.errors import Unauthenticated
from services.chassis.identity import Identity, bearer_token

_REMEMBERED = 2048
"""Tokens whose signature is not checked again; a signature costs more than all else in reading one."""


class _Named(msgspec.Struct):
    sid: UUID


class LocalAuthenticator:
    def __init__(self, keyring: Keyring, issuer: Issuer, care: SessionCare) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._care = care
        self._verified: dict[str, Identity] = {}
        self._verified_with: Mapping[str, ECKey] = {}

    async def authenticate(self, token: str) -> Identity:
        """Raises Unauthenticated, SessionEnded."""
        identity = self._remembered(token) or self._remember(token)
        await self._care.require(identity.session)
        return identity

    def _remembered(self, token: str) -> Identity | None:
        keys = self._keyring.verifying()
        if keys is not self._verified_with:
            # A key may have been withdrawn.
            self._verified.clear()
            self._verified_with = keys
        known = self._verified.get(token)
        return known if known is not None and self._issuer.clock() < known.expires_at else None

    def _remember(self, token: str) -> Identity:
        outcome = self._verify(token)
        if isinstance(outcome, tokens.Rejected):
            raise Unauthenticated(outcome.value)
        identity = Identity(outcome.sub, outcome.sid, frozenset(outcome.roles), outcome.exp, token)
        if len(self._verified) >= _REMEMBERED:
            self._verified.pop(next(iter(self._verified)))
        self._verified[token] = identity
        return identity

    def session_of(self, authorization: str | None) -> UUID | None:
        try:
            token = bearer_token(authorization)
        except Unauthenticated:
            return None
        outcome = self._verify(token)
        if outcome is tokens.Rejected.EXPIRED:
            # Its signature, issuer and audience were found good before its age was looked at; and whoever
            # signs out with an old token wants the session gone no less.
            return msgspec.json.decode(extract_compact(token.encode()).payload, type=_Named).sid
        return None if isinstance(outcome, tokens.Rejected) else outcome.sid

    def _verify(self, token: str) -> tokens.Claims | tokens.Rejected:
        return tokens.verify(
            token,
            self._keyring.verifying(),
            self._issuer.clock(),
            issuer=self._issuer.name,
            audience=self._issuer.audience,
        )
