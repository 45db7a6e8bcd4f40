"""What other services do to an account."""

from dataclasses import dataclass
from uuid import UUID

from services.auth.application.ports import (
    Accounts,
    Audit,
    Clock,
    Ended,
    Mail,
    Revocations,
    Sessions,
    Throttle,
    UnitOfWork,
)
from services.auth.domain.accounts import Account, Status, lookup_email, normalise_email
from services.auth.domain.errors import UnknownAccount
from services.auth.domain.mails import Kind
from services.auth.domain.throttling import Limit, Subject

_NOTICES = Limit(free=3, first=300, ceiling=3600, window=7200)
"""Mails about one account's address: going from address to address, nobody sends mails of ours to all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    accounts: Accounts
    sessions: Sessions
    revocations: Revocations
    throttle: Throttle
    work: UnitOfWork
    mail: Mail
    audit: Audit
    clock: Clock

    async def set_status(self, account: UUID, status: Status) -> None:
        """Disabling ends all sessions. Idempotent. Raises UnknownAccount."""
        now = self.clock()
        async with self.work.transaction():
            # The account first: signing_in.py relies on this order.
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

    async def set_email(self, account: UUID, email: str, sequence: int | None = None) -> None:
        """Moves the account to another address to sign in with (`Account.moved`). Idempotent.

        The new address is asked to confirm, the former one is told, with a link that takes the account back. An
        `sequence` that a later one has overtaken (it was given up while it was still under way) is done with.
        Raises InvalidEmail, UnknownAccount, EmailTaken.
        """
        address = normalise_email(email)
        present = await self.accounts.by_id(account)
        if present is None:
            raise UnknownAccount
        # Redis is asked before anything is stored: while it is down the message is refused, and comes again.
        notices = (Subject(f"notice:{account}", _NOTICES),)
        quiet = address == present.email or await self.throttle.wait(notices, self.clock()) > 0
        async with self.work.transaction():
            moved = await self.accounts.set_email(account, address, sequence)
            if moved is not None and not quiet:
                if moved.former_email is not None:
                    await self.mail.enqueue(Kind.EMAIL_CHANGED, moved)
                await self.mail.enqueue(Kind.EMAIL_CONFIRMATION, moved)
        if moved is None:
            return
        self.audit.record("email_changed", account=account)
        if not quiet:
            # Not before: messages that are refused must not use up the notices of one that is not.
            await self.throttle.failed(notices, self.clock())


async def settle_email(accounts: Accounts, audit: Audit, email: str) -> Account:
    """Password links go to the account's new address from now on, for an owner who has neither its password nor the
    mail of the former address. The operator's act, who has made sure of that; there is no call for it.

    Idempotent. Raises UnknownAccount.
    """
    account = await accounts.by_email(lookup_email(email))
    if account is None:
        raise UnknownAccount
    if await accounts.settle_email(account.id, account.email):
        audit.record("email_settled", account=account.id, by="operator")
    return account
