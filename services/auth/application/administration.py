"""What other services do to an account."""

from dataclasses import dataclass
from uuid import UUID

from services.auth.application.ports import Accounts, Audit, Clock, Sessions
from services.auth.domain.accounts import Status, normalise_email


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    accounts: Accounts
    sessions: Sessions
    audit: Audit
    clock: Clock

    async def set_status(self, account: UUID, status: Status) -> None:
        """Disabling ends all sessions. Idempotent. Raises UnknownAccount."""
        # The status is stored before the sessions are ended: signing_in.py relies on this order.
        await self.accounts.set_status(account, status)
        ended = await self.sessions.end_all(account, self.clock()) if status == "disabled" else 0
        self.audit.record("account_status_set", account=account, status=status, sessions=ended)

    async def set_email(self, account: UUID, email: str) -> None:
        """Idempotent; a new address is unverified. Raises InvalidEmail, UnknownAccount, EmailTaken."""
        if await self.accounts.set_email(account, normalise_email(email)):
            self.audit.record("email_changed", account=account)
