"""Sessions of people who have no account: a cart and an order need somebody to belong to."""

from dataclasses import dataclass

from services.auth.application.login_service import Client
from services.auth.application.ports import Audit, Sessions, Throttle
from services.auth.application.token_issuer import TokenIssuer, TokenPair
from services.auth.domain import throttling
from services.auth.domain.errors import TryLater
from services.auth.domain.sessions import Session
from services.auth.domain.throttling import Limit, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestService:
    """`limit`: of one network, since nothing else tells who asks."""

    sessions: Sessions
    throttle: Throttle
    limit: Limit
    issuer: TokenIssuer
    audit: Audit

    async def __call__(self, client: Client) -> TokenPair:
        """A session of its own, with tokens of the role `guest`. Raises TryLater."""
        now = self.issuer.clock()
        subjects = (Subject(f"guest-at:{throttling.network(client.address)}", self.limit),)
        if wait := await self.throttle.wait(subjects, now):
            self.audit.record("guest_throttled", address=client.address)
            raise TryLater(wait)
        await self.throttle.failed(subjects, now)
        id_ = self.issuer.uuid()
        session = Session.opened(id_, id_, device=client.device, address=client.address, now=now)
        refresh = self.issuer.refresh_token(id_)
        await self.sessions.open(session, refresh)
        self.audit.record("guest", session=id_, address=client.address)
        return self.issuer.guest_pair(session, refresh.text, now)
