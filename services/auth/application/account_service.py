"""What other services do to an account."""

from dataclasses import dataclass
from uuid import UUID

from services.auth.application.ports import Accounts, Audit, Clock, Ended, Revocations, Sessions, UnitOfWork
from services.auth.domain.accounts import Status, normalise_email


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountService:
    accounts: Accounts
    sessions: Sessions
    revocations: Revocations
    work: UnitOfWork
    audit: Audit
    clock: Clock

    async def set_status(self, account: UUID, status: Status) -> None:
        """Disabling ends all sessions. Idempotent. Raises UnknownAccount."""
        now = self.clock()
        async with self.work.transaction():
            # The account first: login_service.py relies on this order.
            await self.accounts.set_status(account, status)
            ended = await self.sessions.end_all(account, now) if status == "disabled" else Ended()
        self.audit.record("account_status_set", account=account, status=status, sessions=ended.count)
        await self.revocations.tell(ended, now)

    async def erase(self, account: UUID) -> None:
        """The owner is gone for good, and with them what is personal. Idempotent. Raises UnknownAccount."""
        now = self.clock()
        async with self.work.transaction():
            await self.accounts.erase(account)
            ended = await self.sessions.end_all(account, now)
        self.audit.record("account_erased", account=account, sessions=ended.count)
        await self.revocations.tell(ended, now)

    async def keep_email(self, account: UUID, wanted: str) -> None:
        """What a member of the release before asks for: another address, without the password. It becomes pending,
        without a link, and the member shows the account's own again. Raises InvalidEmail, UnknownAccount.
        """
        await self.accounts.keep_email(account, normalise_email(wanted))
        self.audit.record("email_change_refused", account=account)
