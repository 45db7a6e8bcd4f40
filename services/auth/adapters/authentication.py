"""Who calls auth itself: the access token by auth's own keys, and its session alive at this moment.

Other services trust a token until it expires or the gateway hears of its end; auth, which has the sessions,
asks.
"""

from collections.abc import Mapping
from uuid import UUID

from common.access_tokens.credentials import bearer_token
from common.access_tokens.jwk_set import VerificationKey
from common.access_tokens.verified import VerifiedTokens
from common.access_tokens.verifier import Expired, Rejected, UnknownKey, verify
from common.access_tokens.verifier import Identity as Verdict
from services.auth.adapters.keyring import Keyring
from services.auth.application.session_service import SessionService
from services.auth.application.token_issuer import TokenIssuer
from services.chassis.authentication import REMEMBERED, expected
from services.chassis.errors import Unauthenticated
from services.chassis.identity import Identity

Keys = Mapping[str, VerificationKey]


class LocalAuthenticator:
    def __init__(self, keyring: Keyring, issuer: TokenIssuer, care: SessionService) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._care = care
        self._expected = expected(issuer.name, issuer.audience)
        self._verified: VerifiedTokens[Identity] = VerifiedTokens(REMEMBERED)

    async def authenticate(self, token: str) -> Identity:
        """Raises Unauthenticated, SessionEnded."""
        keys = self._keyring.verifying()
        identity = self._verified.get(token, keys, self._issuer.clock())
        if identity is None:
            identity = self._identity(token, keys)
            self._verified.put(token, keys, identity.expires_at, identity)
        await self._care.require(identity.session)
        return identity

    def session_of(self, authorization: str | None) -> UUID | None:
        match self._verify(bearer_token(authorization), self._keyring.verifying()):
            # Whoever signs out with an old token wants the session gone no less.
            case Verdict() as good:
                return UUID(good.session)
            case Expired(identity=good):
                return UUID(good.session)
            case _:
                return None

    def _identity(self, token: str, keys: Keys) -> Identity:
        match self._verify(token, keys):
            case UnknownKey():
                raise Unauthenticated("The access token's key is not known.")
            case Rejected(reason):
                raise Unauthenticated(reason)
            case good:
                return Identity(
                    UUID(good.subject), UUID(good.session), frozenset(good.roles), good.expires, token
                )

    def _verify(self, token: str, keys: Keys) -> Verdict | Rejected | UnknownKey:
        return verify(token, keys, self._expected, self._issuer.clock())
