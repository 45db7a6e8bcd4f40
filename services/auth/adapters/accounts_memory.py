"""Accounts in one process' memory, for tests of what is built upon them. `messages` stands for the outbox."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from services.auth.domain.accounts import Account, Status, erased_email, with_role, without_role
from services.auth.domain.errors import EmailTaken, UnknownAccount

ChangeRoles = Callable[[tuple[str, ...], str], tuple[str, ...]]


class InMemoryAccounts:
    def __init__(self) -> None:
        self._accounts: dict[UUID, Account] = {}
        self.messages: list[UUID] = []

    async def by_email(self, email: str) -> Account | None:
        return next((account for account in self._accounts.values() if account.email == email), None)

    async def by_id(self, id_: UUID) -> Account | None:
        return self._accounts.get(id_)

    async def held(self, id_: UUID) -> Account | None:
        return await self.by_id(id_)

    async def register(self, account: Account) -> None:
        await self._refuse_taken(account.id, account.email)
        self._accounts[account.id] = account
        self.messages.append(account.id)

    async def set_password(self, id_: UUID, new: str, *, expecting: str, confirms: str | None = None) -> bool:
        if confirms is not None and not await self.confirm_email(id_, confirms):
            return False
        if not await self.replace_hash(id_, new, expecting=expecting):
            return False
        await self.withdraw_email(id_)
        return True

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
        self._accounts[id_] = replace(
            self._accounts[id_],
            status="disabled",
            email=erased_email(id_),
            name="",
            email_verified=False,
            pending_email=None,
        )

    async def add_role(self, email: str, role: str) -> Account:
        return await self._change_roles(email, role, with_role)

    async def remove_role(self, email: str, role: str) -> Account:
        return await self._change_roles(email, role, without_role)

    async def propose_email(self, id_: UUID, email: str, *, expecting: str) -> Account | None:
        account = self._accounts.get(id_)
        if account is None or account.password_hash != expecting:
            return None
        pending = None if email == account.email else email
        self._accounts[id_] = replace(account, pending_email=pending)
        return self._accounts[id_]

    async def withdraw_email(self, id_: UUID) -> bool:
        account = self._accounts.get(id_)
        if account is None or account.pending_email is None:
            return False
        self._accounts[id_] = replace(account, pending_email=None)
        return True

    async def confirm_email(self, id_: UUID, email: str) -> bool:
        account = self._accounts.get(id_)
        if account is None or account.email != email:
            return False
        self._accounts[id_] = replace(account, email_verified=True)
        return True

    async def complete_email(self, id_: UUID, email: str) -> tuple[Account, str] | None:
        account = self._accounts.get(id_)
        if account is None or account.pending_email != email or not account.active:
            return None
        return await self._moved(account, email, verified=True)

    async def set_email(self, id_: UUID, email: str) -> tuple[Account, str]:
        account = self._accounts.get(id_)
        if account is None or account.erased:
            raise UnknownAccount
        return (
            (account, email) if account.email == email else await self._moved(account, email, verified=False)
        )

    async def keep_email(self, id_: UUID, wanted: str) -> None:
        account = self._accounts.get(id_)
        if account is None:
            raise UnknownAccount
        if account.erased:
            return
        if account.pending_email is None and account.email != wanted:
            self._accounts[id_] = replace(account, pending_email=wanted)
        self.messages.append(id_)

    async def _moved(self, account: Account, email: str, *, verified: bool) -> tuple[Account, str]:
        await self._refuse_taken(account.id, email)
        moved = replace(account, email=email, email_verified=verified, pending_email=None)
        self._accounts[account.id] = moved
        self.messages.append(account.id)
        return moved, account.email

    async def _refuse_taken(self, id_: UUID, email: str) -> None:
        holder = await self.by_email(email)
        if holder is not None and holder.id != id_:
            raise EmailTaken

    async def _change_roles(self, email: str, role: str, change: ChangeRoles) -> Account:
        account = await self.by_email(email)
        if account is None:
            raise UnknownAccount
        self._accounts[account.id] = replace(account, roles=change(account.roles, role))
        return self._accounts[account.id]
