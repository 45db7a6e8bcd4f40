"""An account's e-mail address: confirming it, and moving to another one.

Moving takes the password first and the mail of the new address after it. Between the two the new address is only
pending: it signs nobody in, gets no password links and is kept from nobody.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.auth.application.login_guard import LoginGuard
from services.auth.application.login_service import Client
from services.auth.application.mailed_links import MailedLinks
from services.auth.application.password_check import PasswordCheck
from services.auth.application.ports import Accounts, Audit, Mail, UnitOfWork
from services.auth.domain import throttling
from services.auth.domain.accounts import Account, normalise_email
from services.auth.domain.errors import EmailTaken, InvalidLink, SessionEnded, WrongPassword
from services.auth.domain.mails import Kind
from services.auth.domain.throttling import Limit, Subject

_MAILS = Limit(free=3, first=300, ceiling=3600, window=7200)
"""Changes that one account may ask for: going from address to address, nobody sends mails of ours to all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change whose password was given. `by`: who gave it; the account's owner or an administrator."""

    by: UUID
    account: UUID
    email: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailService:
    accounts: Accounts
    work: UnitOfWork
    guard: LoginGuard
    check: PasswordCheck
    links: MailedLinks
    mail: Mail
    audit: Audit

    async def prepare(self, id_: UUID, email: str, password: str, client: Client) -> Change:
        """The change, the account's password checked; nothing has changed yet.

        Raises InvalidEmail, WrongPassword, EmailTaken, TryLater, Overloaded, SessionEnded.
        """
        address = normalise_email(email)
        account = await self._signed_in(id_)
        more = (_mails(id_), self._guesses(client))
        async with self.check.passed(account, password, client, "email_change_refused", more):
            pass
        await self._refuse_taken(id_, address, client)
        return Change(by=id_, account=id_, email=address, password_hash=account.password_hash)

    async def request(self, change: Change, client: Client) -> None:
        """Makes the address pending, mails it a link and tells the present one. The present one is asked for again:
        that takes the pending one back, and mails a link where it was not confirmed.

        Raises WrongPassword where the password was changed since.
        """
        async with self.work.transaction():
            account = await self.accounts.propose_email(
                change.account, change.email, expecting=change.password_hash
            )
            if account is None:
                raise WrongPassword
            if account.pending_email is not None:
                await self.mail.enqueue(Kind.EMAIL_CHANGE, account, client.language, to=account.pending_email)
                await self.mail.enqueue(Kind.EMAIL_CHANGE_REQUESTED, account, client.language)
            elif not account.email_verified:
                await self.mail.enqueue(Kind.EMAIL_CONFIRMATION, account, client.language)
        self.audit.record("email_change_requested", account=account.id, address=client.address)
        await self.guard.failed((_mails(account.id),))

    async def withdraw(self, id_: UUID, client: Client) -> None:
        """Takes the pending address back; its link opens nothing from now on. Idempotent."""
        if await self.accounts.withdraw_email(id_):
            self.audit.record("email_change_withdrawn", account=id_, address=client.address)

    async def confirm(self, secret: str, client: Client) -> None:
        """Whoever has the mailed link reads that mailbox: the address is confirmed, and where it was pending it is the
        account's from now on. Sessions go on.

        Raises InvalidLink, also where the change was taken back, and EmailTaken where somebody else was faster.
        """
        async with self.work.transaction():
            confirmed = await self.links.take_confirmation(secret)
            if confirmed.moves:
                await self._move(confirmed.account, confirmed.email, client)
            elif not await self.accounts.confirm_email(confirmed.account, confirmed.email):
                raise InvalidLink
        event = "email_changed" if confirmed.moves else "email_confirmed"
        self.audit.record(event, account=confirmed.account, address=client.address)

    async def prepare_for(self, admin: UUID, id_: UUID, email: str, password: str, client: Client) -> Change:
        """The change of another's address, the administrator's own password checked.

        Raises as `prepare`.
        """
        address = normalise_email(email)
        account = await self._signed_in(admin)
        async with self.check.passed(account, password, client, "email_change_refused"):
            pass
        return Change(by=admin, account=id_, email=address, password_hash=account.password_hash)

    async def set(self, change: Change, client: Client) -> None:
        """Moves the account at once, for an owner who gets at no mail of the former address. Both are told; the new one
        is asked to confirm. Idempotent. Raises UnknownAccount, EmailTaken.
        """
        async with self.work.transaction():
            account, former = await self.accounts.set_email(change.account, change.email)
            if former != account.email:
                await self.mail.enqueue(Kind.EMAIL_CHANGED, account, client.language, to=former)
                await self.mail.enqueue(Kind.EMAIL_CONFIRMATION, account, client.language)
        self.audit.record("email_set", account=account.id, by=change.by, address=client.address)

    async def _move(self, id_: UUID, email: str, client: Client) -> None:
        moved = await self.accounts.complete_email(id_, email)
        if moved is None:
            raise InvalidLink
        account, former = moved
        await self.mail.enqueue(Kind.EMAIL_CHANGED, account, client.language, to=former)

    async def _signed_in(self, id_: UUID) -> Account:
        account = await self.accounts.by_id(id_)
        if account is None:
            raise SessionEnded
        return account

    async def _refuse_taken(self, id_: UUID, email: str, client: Client) -> None:
        # Told, as registration tells it, and paid for alike (docs/decisions/0049).
        holder = await self.accounts.by_email(email)
        if holder is not None and holder.id != id_:
            await self.guard.failed((self._guesses(client),))
            self.audit.record("email_change_taken", account=id_, address=client.address)
            raise EmailTaken

    def _guesses(self, client: Client) -> Subject:
        """What failed sign-ins from the address count for."""
        return Subject(f"at:{throttling.network(client.address)}", self.guard.limits.address)


def _mails(account: UUID) -> Subject:
    return Subject(f"notice:{account}", _MAILS)
