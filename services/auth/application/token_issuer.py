"""The pair of tokens that a session hands to its client."""

from dataclasses import dataclass, field
from uuid import UUID

from services.auth.application.ports import Clock, RandomBytes, Signer
from services.auth.domain import refresh_tokens
from services.auth.domain.access_tokens import claims
from services.auth.domain.accounts import GUEST, Account
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Lifetimes, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """Lifetimes in seconds from now."""

    access: str = field(repr=False)
    access_lifetime: int
    refresh: str = field(repr=False)
    refresh_lifetime: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssuer:
    """`tag_key` authenticates refresh tokens (domain/refresh_tokens.py)."""

    name: str
    audience: str
    lifetimes: Lifetimes
    tag_key: bytes = field(repr=False)
    signer: Signer
    clock: Clock
    random: RandomBytes

    def uuid(self) -> UUID:
        return UUID(bytes=self.random(16), version=4)

    def refresh_token(self, session: UUID) -> RefreshToken:
        return refresh_tokens.issue(session, self.random(32), self.tag_key)

    def read(self, text: str) -> RefreshToken | None:
        """The refresh token if auth once issued it, whatever became of it since."""
        token = refresh_tokens.read(text, self.tag_key)
        return token if token is not None and token.genuine else None

    def pair(self, account: Account, session: Session, refresh: str, now: float) -> TokenPair:
        """`now` is the time of the step that granted the tokens, so that a later revocation outlives them."""
        return self._pair(account.id, account.roles, session, refresh, now)

    def guest_pair(self, session: Session, refresh: str, now: float) -> TokenPair:
        """For who has no account: the session speaks for itself."""
        return self._pair(session.id, (GUEST,), session, refresh, now)

    def _pair(
        self, subject: UUID, roles: tuple[str, ...], session: Session, refresh: str, now: float
    ) -> TokenPair:
        left = self.lifetimes.refresh_for(session.created_at, now)
        lifetime = min(self.lifetimes.access, left)
        token = self.signer.sign(
            claims(
                issuer=self.name,
                audience=self.audience,
                account=subject,
                session=session.id,
                roles=roles,
                now=now,
                lifetime=lifetime,
                jti=self.uuid(),
            )
        )
        return TokenPair(access=token, access_lifetime=lifetime, refresh=refresh, refresh_lifetime=left)
