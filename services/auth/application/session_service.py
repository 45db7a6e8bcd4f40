"""What happens to a session after sign-in: refreshing it, looking at it, ending it."""

from dataclasses import dataclass
from uuid import UUID

from services.auth.application.ports import Accounts, Audit, Reused, Revocations, Sessions
from services.auth.application.token_issuer import TokenIssuer, TokenPair
from services.auth.domain.errors import SessionEnded, UnknownSession
from services.auth.domain.sessions import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionService:
    accounts: Accounts
    sessions: Sessions
    revocations: Revocations
    issuer: TokenIssuer
    audit: Audit

    async def refresh(self, text: str) -> TokenPair:
        """The next pair for a refresh token. Raises SessionEnded."""
        presented = self.issuer.read(text)
        if presented is None:
            raise SessionEnded
        now = self.issuer.clock()
        outcome = await self.sessions.rotate(presented, self.issuer.refresh_token(presented.session), now)
        if isinstance(outcome, Reused):
            self.audit.record(
                "refresh_token_reused", account=outcome.ended.account, session=presented.session
            )
            await self.revocations.tell(outcome.ended, now)
        if outcome is None or isinstance(outcome, Reused):
            raise SessionEnded
        if outcome.session.guest:
            return self.issuer.guest_pair(outcome.session, outcome.token, now)
        account = await self.accounts.by_id(outcome.session.account)
        if account is None or not account.active:
            await self.revocations.tell(await self.sessions.end(presented.session, now), now)
            raise SessionEnded
        return self.issuer.pair(account, outcome.session, outcome.token, now)

    async def require(self, session: UUID) -> Session:
        """The session if it is alive: what makes a logout count here at once. Raises SessionEnded."""
        found = await self.sessions.find(session, self.issuer.clock())
        if found is None:
            raise SessionEnded
        return found

    async def list(self, account: UUID) -> list[Session]:
        return await self.sessions.of(account, self.issuer.clock())

    async def sign_out(self, session: UUID | None, refresh_token: str | None) -> None:
        """Ends what either names; nothing to end is no error, as in RFC 7009 §2.2."""
        presented = self.issuer.read(refresh_token) if refresh_token else None
        for id_ in {session, presented.session if presented else None}:
            if id_ is not None:
                await self._end(id_, "logout")

    async def end(self, account: UUID, session: UUID) -> None:
        """Ends one of the account's sessions. Raises UnknownSession, also for somebody else's."""
        found = await self.sessions.find(session, self.issuer.clock())
        if found is None or found.account != account:
            raise UnknownSession
        await self._end(session, "session_ended")

    async def end_others(self, account: UUID, current: UUID) -> None:
        now = self.issuer.clock()
        ended = await self.sessions.end_all(account, now, except_for=current)
        self.audit.record("other_sessions_ended", account=account, session=current, sessions=ended.count)
        await self.revocations.tell(ended, now)

    async def _end(self, session: UUID, event: str) -> None:
        now = self.issuer.clock()
        ended = await self.sessions.end(session, now)
        if ended.account is not None:
            self.audit.record(event, account=ended.account, session=session)
        await self.revocations.tell(ended, now)
