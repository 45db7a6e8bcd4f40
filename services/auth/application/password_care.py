"""Changing a password that is known, and replacing one that is forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.auth.application.gate import Gate
from services.auth.application.issuing import Issuer
from services.auth.application.ports import Accounts, Audit, Links, Mail, Sessions
from services.auth.application.signing_in import Client
from services.auth.domain import links, passwords, throttling
from services.auth.domain.accounts import Account, lookup_email
from services.auth.domain.errors import InvalidLink, SessionEnded, WrongPassword
from services.auth.domain.throttling import Limit, Subject

_KIND = "password"
_LETTERS = Limit(free=3, first=300, ceiling=3600, window=7200)
"""Mails to one address: nobody's mailbox is filled by strangers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCare:
    """`reset_within`: seconds for which the mailed link works."""

    accounts: Accounts
    sessions: Sessions
    gate: Gate
    links: Links
    mail: Mail
    issuer: Issuer
    audit: Audit
    reset_within: int

    async def change(self, id_: UUID, session: UUID, current: str, new: str, client: Client) -> None:
        """Sets the password and ends the account's other sessions.

        Raises WrongPassword, UnacceptablePassword, TryLater, Overloaded, SessionEnded.
        """
        account = await self.accounts.by_id(id_)
        if account is None:
            raise SessionEnded
        accepted = passwords.accept(new, (account.email, account.name))
        # A stolen access token must not become a way to guess the password without limit.
        subject = (Subject(f"change:{id_}", self.gate.limits.account),)
        async with self.gate.passed(subject) as turn:
            if not await turn.verify(account.password_hash, passwords.normalise(current)):
                await self.gate.failed(subject)
                self.audit.record("password_change_refused", account=id_, address=client.address)
                raise WrongPassword
            hash_ = await turn.hash(accepted)
        await self.gate.throttle.forget(subject)
        if not await self._store(account, hash_, "password_changed", client, spared=session):
            raise WrongPassword

    async def forgot(self, email: str, client: Client) -> None:
        """Mails a link if there is such an account; the caller never learns whether."""
        address = lookup_email(email)
        subjects = (
            Subject(f"forgot:{throttling.account_key(address)}", _LETTERS),
            Subject(f"forgot-at:{throttling.network(client.address)}", self.gate.limits.address),
        )
        if await self.gate.throttle.wait(subjects, self.issuer.clock()):
            return
        await self.gate.failed(subjects)
        account = await self.accounts.by_email(address)
        # The same steps are taken for nobody, so that the time tells nothing; such a link opens nothing.
        secret = links.secret(self.issuer.random(32))
        content = {
            "account": str(account.id if account else self.issuer.uuid()),
            "state": _state(account),
        }
        await self.links.put(_KIND, links.digest(secret), content, self.reset_within)
        who = throttling.account_key(address)
        self.audit.record("password_reset_requested", account_key=who, address=client.address)
        if account is not None and account.active:
            self.mail.password_reset(account, secret)

    async def reset(self, secret: str, new: str, client: Client) -> None:
        """Sets the password by a mailed link and ends all sessions.

        Raises UnacceptablePassword (the link stays good), InvalidLink, Overloaded.
        """
        digest = links.digest(secret)
        account = await self._meant(await self.links.look(_KIND, digest))
        accepted = passwords.accept(new, (account.email, account.name))
        async with self.gate.passed() as turn:
            account = await self._meant(await self.links.take(_KIND, digest))
            hash_ = await turn.hash(accepted)
        if not await self._store(account, hash_, "password_reset", client):
            raise InvalidLink
        await self.accounts.confirm_email(account.id, account.email)
        await self._welcome(account, client)

    async def _store(
        self, account: Account, hash_: str, event: str, client: Client, *, spared: UUID | None = None
    ) -> bool:
        """Ends the account's sessions but `spared` and sets the password; False when another change came first."""
        # Sessions first: whatever dies on the way, a new password never leaves them alive.
        ended = await self.sessions.end_all(account.id, self.issuer.clock(), except_for=spared)
        if not await self.accounts.replace_hash(account.id, hash_, expecting=account.password_hash):
            return False
        try:
            # And again, for who signed in with the old one meanwhile: signing_in.py relies on this order.
            ended += await self.sessions.end_all(account.id, self.issuer.clock(), except_for=spared)
        finally:
            # The password is a new one even where that failed, and its owner must hear of it.
            here = {} if spared is None else {"session": spared}
            self.audit.record(event, account=account.id, address=client.address, sessions=ended, **here)
            self.mail.password_changed(account)
        return True

    async def _meant(self, content: Mapping[str, str] | None) -> Account:
        """Whose link it is. Raises InvalidLink, also where a password or an address changed since it was mailed."""
        account = await self.accounts.by_id(UUID(content["account"])) if content else None
        if content is None or account is None or not account.active or content["state"] != _state(account):
            raise InvalidLink
        return account

    async def _welcome(self, account: Account, client: Client) -> None:
        """Strangers who keep guessing an account's password must not keep out whoever reads its mail."""
        where = throttling.network(client.address)
        await self.gate.throttle.remember(throttling.account_key(account.email), where)
        await self.gate.throttle.forget(
            throttling.subjects(account.email, client.address, self.gate.limits, familiar=True)
        )


def _state(account: Account | None) -> str:
    return links.digest(f"{account.email} {account.password_hash}" if account else "")
