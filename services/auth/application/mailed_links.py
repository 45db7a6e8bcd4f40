"""Links that auth mails: what each stands for, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.auth.application.ports import Accounts, Links
from services.auth.domain import links
from services.auth.domain.accounts import Account
from services.auth.domain.errors import InvalidLink

_PASSWORD, _EMAIL, _EMAIL_CHANGE = "password", "email", "email-change"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Whoever has the link reads the mail of `email`. `moves`: the account was to move there, and has it not yet."""

    account: UUID
    email: str
    moves: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedLinks:
    """`key` makes their secrets (domain/links.py). `reset_within` and `confirm_within`: seconds for which the links
    work, from the latest try to mail them. `mail`: the id of the one that it is for; where its link was taken already,
    there is no secret."""

    accounts: Accounts
    links: Links
    key: bytes = field(repr=False)
    reset_within: int
    confirm_within: int

    async def to_reset(self, account: Account, mail: UUID) -> str | None:
        """The secret of a link that lets its reader choose the account's password, once."""
        content = {"account": str(account.id), "state": _state(account)}
        return await self._new(_PASSWORD, content, mail, self.reset_within)

    async def to_confirm(self, account: Account, mail: UUID) -> str | None:
        """The secret of a link by which its reader confirms the account's address."""
        content = {"account": str(account.id), "email": account.email}
        return await self._new(_EMAIL, content, mail, self.confirm_within)

    async def to_change(self, account: Account, email: str, mail: UUID) -> str | None:
        """The secret of a link by which its reader makes `email` the account's, as long as that is pending."""
        content = {"account": str(account.id), "email": email}
        return await self._new(_EMAIL_CHANGE, content, mail, self.confirm_within)

    async def look(self, secret: str) -> Account:
        """Whose password the link lets choose; it stays good.

        Raises InvalidLink, also where the password or the address changed since it was mailed.
        """
        return await self._meant(await self.links.look(_PASSWORD, links.digest(secret)))

    async def take(self, secret: str) -> Account:
        """As `look`, once: of two callers with one link, one gets it."""
        return await self._meant(await self.links.take(_PASSWORD, links.digest(secret)))

    async def take_confirmation(self, secret: str) -> Confirmed:
        """What a link of `to_confirm` or `to_change` says, once. Raises InvalidLink."""
        digest = links.digest(secret)
        for kind in (_EMAIL, _EMAIL_CHANGE):
            content = await self.links.take(kind, digest)
            if content is not None:
                return Confirmed(UUID(content["account"]), content["email"], kind == _EMAIL_CHANGE)
        raise InvalidLink

    async def _new(self, kind: str, content: Mapping[str, str], mail: UUID, lifetime: int) -> str | None:
        secret = links.secret(self.key, mail)
        return secret if await self.links.put(kind, links.digest(secret), content, lifetime) else None

    async def _meant(self, content: Mapping[str, str] | None) -> Account:
        account = await self.accounts.by_id(UUID(content["account"])) if content else None
        if content is None or account is None or not account.active or content["state"] != _state(account):
            raise InvalidLink
        return account


def _state(account: Account) -> str:
    return links.digest(f"{account.email} {account.password_hash}")
