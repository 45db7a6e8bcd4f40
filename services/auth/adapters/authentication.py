"""Who calls auth itself: the access token by auth's own keys, and its session alive at this moment.

Other services trust a token until it expires or the gateway hears of its end; auth, which has the sessions,
asks.
"""

from uuid import UUID

import msgspec
from joserfc.jws import extract_compact

from services.auth.adapters.keyring import Keyring
from services.auth.application.issuing import Issuer
from services.auth.application.session_care import SessionCare
from services.chassis import tokens
from services.chassis.errors import Unauthenticated
from services.chassis.identity import Identity, bearer_token


class _Named(msgspec.Struct):
    sid: UUID


class LocalAuthenticator:
    def __init__(self, keyring: Keyring, issuer: Issuer, care: SessionCare) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._care = care

    async def authenticate(self, token: str) -> Identity:
        """Raises Unauthenticated, SessionEnded."""
        outcome = self._verify(token)
        if isinstance(outcome, tokens.Rejected):
            raise Unauthenticated(outcome.value)
        await self._care.require(outcome.sid)
        return Identity(outcome.sub, outcome.sid, frozenset(outcome.roles), outcome.exp, token)

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
