"""What other services do to an account."""

from dataclasses import dataclass
from uuid import UUID

from services.auth.application.ports import Accounts, Audit, Clock, Mail, Sessions, Throttle
from services.auth.domain.accounts import Status, normalise_email
from services.auth.domain.throttling import Limit, Subject

_NOTICES = Limit(free=3, first=300, ceiling=3600, window=7200)
"""Mails about one account's address: going from address to address, nobody sends mails of ours to all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    accounts: Accounts
    sessions: Sessions
    throttle: Throttle
    mail: Mail
    audit: Audit
    clock: Clock

    async def set_status(self, account: UUID, status: Status) -> None:
        """Disabling ends all sessions. Idempotent. Raises UnknownAccount."""
        # The status is stored before the sessions are ended: signing_in.py relies on this order.
        await self.accounts.set_status(account, status)
        ended = await self.sessions.end_all(account, self.clock()) if status == "disabled" else 0
        self.audit.record("account_status_set", account=account, status=status, sessions=ended)

    async def erase(self, account: UUID) -> None:
        """The owner is gone for good, and with them what is personal. Idempotent. Raises UnknownAccount."""
        # In the order of set_status, for the same reason.
        await self.accounts.erase(account)
        ended = await self.sessions.end_all(account, self.clock())
        self.audit.record("account_erased", account=account, sessions=ended)

    async def set_email(self, account: UUID, email: str, order: int | None = None) -> None:
        """Idempotent; a new address is unverified, and the former one is told. Raises InvalidEmail, UnknownAccount,
        EmailTaken.

        An `order` that a later one has overtaken (it was given up while it was still under way) is done with.
        """
        # Asked before anything is stored: while Redis is down the order is refused, and comes again.
        notices = (Subject(f"notice:{account}", _NOTICES),)
        wait = await self.throttle.wait(notices, self.clock())
        former = await self.accounts.set_email(account, normalise_email(email), order)
        if former is None:
            return
        self.audit.record("email_changed", account=account)
        if not wait:
            self.mail.email_changed(former)
            await self.throttle.failed(notices, self.clock())
