"""Accounts in one process' memory, for tests of what is built upon them. `messages` stands for the outbox."""

import math
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from services.auth.domain.accounts import Account, Status, erased_email, with_role, without_role
from services.auth.domain.errors import EmailTaken, UnknownAccount

ChangeRoles = Callable[[tuple[str, ...], str], tuple[str, ...]]


class MemoryAccounts:
    def __init__(self) -> None:
        self._accounts: dict[UUID, Account] = {}
        self._email_sequences: dict[UUID, float] = {}
        self.messages: list[UUID] = []

    async def by_email(self, email: str) -> Account | None:
        return next((account for account in self._accounts.values() if account.email == email), None)

    async def by_any_email(self, email: str) -> Account | None:
        return next((account for account in self._accounts.values() if email in _emails(account)), None)

    async def by_id(self, id_: UUID) -> Account | None:
        return self._accounts.get(id_)

    async def held(self, id_: UUID) -> Account | None:
        return await self.by_id(id_)

    async def register(self, account: Account) -> None:
        self._make_way(account.id, account.email)
        if await self.by_any_email(account.email):
            raise EmailTaken
        self._accounts[account.id] = account
        self.messages.append(account.id)

    async def replace_hash(self, id_: UUID, new: str, *, expecting: str) -> bool:
        account = self._accounts.get(id_)
        if account is None or account.password_hash != expecting:
            return False
        self._accounts[id_] = replace(account, password_hash=new)
        return True

    async def set_status(self, id_: UUID, status: Status) -> None:
        if id_ not in self._accounts:
            raise UnknownAccount
        self._accounts[id_] = replace(self._accounts[id_], status=status)

    async def erase(self, id_: UUID) -> None:
        if id_ not in self._accounts:
            raise UnknownAccount
        self._email_sequences[id_] = math.inf
        self._accounts[id_] = replace(
            self._accounts[id_],
            status="disabled",
            email=erased_email(id_),
            name="",
            email_verified=False,
            former_email=None,
        )

    async def add_role(self, email: str, role: str) -> Account:
        return await self._change_roles(email, role, with_role)

    async def remove_role(self, email: str, role: str) -> Account:
        return await self._change_roles(email, role, without_role)

    async def set_email(self, id_: UUID, email: str, sequence: int | None = None) -> Account | None:
        account = self._accounts.get(id_)
        if account is None:
            raise UnknownAccount
        if self._email_sequences.get(id_, 0) >= (math.inf if sequence is None else sequence):
            return None
        self._make_way(id_, email)
        holder = await self.by_any_email(email)
        if holder is not None and holder.id != id_:
            raise EmailTaken
        if sequence is not None:
            self._email_sequences[id_] = sequence
        if account.email == email:
            return None
        self._accounts[id_] = account.moved(email)
        self.messages.append(id_)
        return self._accounts[id_]

    async def settle_email(self, id_: UUID, email: str) -> bool:
        account = self._accounts.get(id_)
        if account is None or account.email != email or account.former_email is None:
            return False
        self._accounts[id_] = replace(account, former_email=None)
        return True

    async def recover(self, account: Account, password_hash: str) -> bool:
        found = self._accounts.get(account.id)
        if found is None or (found.password_hash, found.recovery_email) != (
            account.password_hash,
            account.recovery_email,
        ):
            return False
        self._accounts[account.id] = found.recovered(password_hash)
        if found.former_email is not None:
            self.messages.append(account.id)
        return True

    async def confirm_email(self, id_: UUID, email: str) -> bool:
        account = self._accounts.get(id_)
        if account is None or account.email != email:
            return False
        self._accounts[id_] = replace(account, email_verified=True)
        return True

    def _make_way(self, id_: UUID, email: str) -> None:
        for holder in list(self._accounts.values()):
            if holder.email == email and holder.id != id_ and holder.gives_way:
                self._accounts[holder.id] = holder.moved(holder.recovery_email)
                self.messages.append(holder.id)

    async def _change_roles(self, email: str, role: str, change: ChangeRoles) -> Account:
        account = await self.by_email(email)
        if account is None:
            raise UnknownAccount
        self._accounts[account.id] = replace(account, roles=change(account.roles, role))
        return self._accounts[account.id]


def _emails(account: Account) -> tuple[str | None, ...]:
    return account.email, account.former_email
