"""Changing a password that is known, and replacing one that is forgotten."""

from dataclasses import dataclass
from uuid import UUID

from services.auth.application.login_guard import LoginGuard
from services.auth.application.login_service import Client
from services.auth.application.mailed_links import MailedLinks
from services.auth.application.password_check import PasswordCheck
from services.auth.application.ports import Accounts, Audit, Ended, Mail, Revocations, Sessions, UnitOfWork
from services.auth.application.token_issuer import TokenIssuer
from services.auth.domain import passwords, throttling
from services.auth.domain.accounts import Account, lookup_email
from services.auth.domain.errors import InvalidLink, SessionEnded, WrongPassword
from services.auth.domain.mails import Kind
from services.auth.domain.throttling import Limit, Subject

_FIRST_WAIT, _LONGEST_WAIT, _WINDOW = 300, 3600, 7200


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordService:
    accounts: Accounts
    sessions: Sessions
    revocations: Revocations
    work: UnitOfWork
    guard: LoginGuard
    check: PasswordCheck
    links: MailedLinks
    mail: Mail
    issuer: TokenIssuer
    audit: Audit

    async def change(self, id_: UUID, session: UUID, current: str, new: str, client: Client) -> None:
        """Sets the password and ends the account's other sessions.

        Raises WrongPassword, UnacceptablePassword, TryLater, Overloaded, SessionEnded.
        """
        account = await self.accounts.by_id(id_)
        if account is None:
            raise SessionEnded
        accepted = passwords.accept(new, (account.email, account.name))
        async with self.check.passed(account, current, client, "password_change_refused") as turn:
            hash_ = await turn.hash(accepted)
        async with self.work.transaction():
            if not await self.accounts.set_password(id_, hash_, expecting=account.password_hash):
                raise WrongPassword
            ended = await self._end_sessions(account, client, spared=session)
        self.audit.record(
            "password_changed", account=id_, address=client.address, sessions=ended.count, session=session
        )
        await self._settle(account, ended, client)

    async def forgot(self, email: str, client: Client) -> None:
        """Mails a link if there is such an account; the caller never learns whether."""
        address = lookup_email(email)
        subjects = (
            Subject(f"forgot:{throttling.account_key(address)}", self._letters),
            Subject(f"forgot-at:{throttling.network(client.address)}", self.guard.limits.address),
        )
        if await self.guard.throttle.wait(subjects, self.issuer.clock()):
            return
        await self.guard.failed(subjects)
        account = await self.accounts.by_email(address)
        who = throttling.account_key(address)
        self.audit.record("password_reset_requested", account_key=who, address=client.address)
        async with self.work.transaction():
            await self.mail.enqueue(Kind.PASSWORD_RESET, account, client.language)

    @property
    def _letters(self) -> Limit:
        """Mails to one address: nobody's mailbox is filled by strangers. Nor do they keep anybody from a new password:
        while no more links are mailed, the last one is good."""
        good = self.links.reset_within
        return Limit(free=3, first=min(_FIRST_WAIT, good), ceiling=min(_LONGEST_WAIT, good), window=_WINDOW)

    async def reset(self, secret: str, new: str, client: Client) -> None:
        """Sets the password by a mailed link and ends all sessions.

        Raises UnacceptablePassword (the link stays good), InvalidLink, Overloaded.
        """
        account = await self.links.look(secret)
        accepted = passwords.accept(new, (account.email, account.name))
        async with self.guard.passed(client.address) as turn:
            await self.links.look(secret)  # it may have been used while this waited
            hash_ = await turn.hash(accepted)
        async with self.work.transaction():
            account = await self.links.take(secret)
            if not await self.accounts.set_password(
                account.id, hash_, expecting=account.password_hash, confirms=account.email
            ):
                raise InvalidLink
            ended = await self._end_sessions(account, client)
        self.audit.record("password_reset", account=account.id, address=client.address, sessions=ended.count)
        await self._settle(account, ended, client)

    async def _end_sessions(self, account: Account, client: Client, *, spared: UUID | None = None) -> Ended:
        """With the new password, in one transaction and after it: login_service.py relies on this order."""
        await self.mail.enqueue(Kind.PASSWORD_CHANGED, account, client.language)
        return await self.sessions.end_all(account.id, self.issuer.clock(), except_for=spared)

    async def _settle(self, account: Account, ended: Ended, client: Client) -> None:
        """What lies in Redis, and follows what PostgreSQL has."""
        await self.revocations.tell(ended, self.issuer.clock())
        await self._welcome(account, client)

    async def _welcome(self, account: Account, client: Client) -> None:
        """Strangers who keep guessing must not keep out whoever set the password; who knew the former is one now."""
        who, now = throttling.account_key(account.email), self.issuer.clock()
        await self.guard.throttle.estrange(who, now)
        await self.guard.throttle.remember(who, throttling.network(client.address), now)
        await self.guard.throttle.forget(
            throttling.subjects(account.email, client.address, self.guard.limits, familiar=True)
        )
