"""Links that auth mails: what each stands for, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.auth.application.ports import Accounts, Links
from services.auth.domain import links
from services.auth.domain.accounts import Account
from services.auth.domain.errors import InvalidLink

_PASSWORD, _EMAIL = "password", "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedLinks:
    """`key` makes their secrets (domain/links.py). `reset_within`, `take_back_within` and `confirm_within`: seconds for
    which the links work, from the latest try to mail them. `mail`: the id of the one that it is for; where its link was
    taken already, there is no secret."""

    accounts: Accounts
    links: Links
    key: bytes = field(repr=False)
    reset_within: int
    take_back_within: int
    confirm_within: int

    async def to_reset(self, account: Account, mail: UUID) -> str | None:
        """The secret of a link that lets its reader choose the account's password, once."""
        return await self._to_choose_password(account, mail, self.reset_within)

    async def to_take_back(self, account: Account, mail: UUID) -> str | None:
        """The same for longer: it goes to who did not ask for it, with the news that the account was moved."""
        return await self._to_choose_password(account, mail, self.take_back_within)

    async def to_confirm(self, account: Account, mail: UUID) -> str | None:
        """The secret of a link by which its reader confirms the account's address."""
        content = {"account": str(account.id), "email": account.email}
        return await self._new(_EMAIL, content, mail, self.confirm_within)

    async def look(self, secret: str) -> Account:
        """Whose password the link lets choose; it stays good.

        Raises InvalidLink, also where the password or the recovery address changed since it was mailed.
        """
        return await self._meant(await self.links.look(_PASSWORD, links.digest(secret)))

    async def take(self, secret: str) -> Account:
        """As `look`, once: of two callers with one link, one gets it."""
        return await self._meant(await self.links.take(_PASSWORD, links.digest(secret)))

    async def confirm(self, secret: str) -> UUID:
        """Marks the address as confirmed; whose it is. Raises InvalidLink."""
        content = await self.links.take(_EMAIL, links.digest(secret))
        if content is None or not await self.accounts.confirm_email(
            UUID(content["account"]), content["email"]
        ):
            raise InvalidLink
        return UUID(content["account"])

    async def _to_choose_password(self, account: Account, mail: UUID, lifetime: int) -> str | None:
        content = {"account": str(account.id), "state": _state(account)}
        return await self._new(_PASSWORD, content, mail, lifetime)

    async def _new(self, kind: str, content: Mapping[str, str], mail: UUID, lifetime: int) -> str | None:
        secret = links.secret(self.key, mail)
        return secret if await self.links.put(kind, links.digest(secret), content, lifetime) else None

    async def _meant(self, content: Mapping[str, str] | None) -> Account:
        account = await self.accounts.by_id(UUID(content["account"])) if content else None
        if content is None or account is None or not account.active or content["state"] != _state(account):
            raise InvalidLink
        return account


def _state(account: Account) -> str:
    # The recovery address, not the one to sign in with: who moves an account on must not void the link that takes it
    # back.
    return links.digest(f"{account.recovery_email} {account.password_hash}")
