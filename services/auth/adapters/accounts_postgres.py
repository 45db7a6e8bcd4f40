"""Accounts in PostgreSQL."""

from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import UUID

from asyncpg import UniqueViolationError

from services.auth.adapters.tables import AccountRow
from services.auth.domain.accounts import Account, Status, erased_email, with_role, without_role
from services.auth.domain.errors import EmailTaken, UnknownAccount
from services.chassis.postgres import Database

AFTER_ALL_MESSAGES = 2**63 - 1
"""An erased account's latest message: no message about its address comes after it, be it numbered or not."""

TellMember = Callable[[Account], Awaitable[None]]
ChangeRoles = Callable[[tuple[str, ...], str], tuple[str, ...]]


class PostgresAccounts:
    """`tell_member` is called inside the transaction that stores an account."""

    def __init__(self, database: Database, tell_member: TellMember) -> None:
        self._database = database
        self._tell_member = tell_member

    async def by_email(self, email: str) -> Account | None:
        return _account(await AccountRow.select().where(AccountRow.email == email).first())

    async def by_any_email(self, email: str) -> Account | None:
        either = (AccountRow.email == email) | (AccountRow.former_email == email)
        return _account(await AccountRow.select().where(either).first())

    async def by_id(self, id_: UUID) -> Account | None:
        return _account(await AccountRow.select().where(AccountRow.id == id_).first())

    async def held(self, id_: UUID) -> Account | None:
        return _account(await AccountRow.select().where(AccountRow.id == id_).first().lock_rows("SHARE"))

    async def register(self, account: Account) -> None:
        try:
            async with self._database.transaction():
                await self._make_way(account)
                await AccountRow.insert(_row(account))
                await _refuse_kept(account)
                await self._tell_member(account)
        except UniqueViolationError as error:
            raise EmailTaken from error

    async def add_if_absent(self, account: Account) -> bool:
        """Stores the account without a member, unless its id or address is there; whether it was stored."""
        async with self._database.transaction():
            inserted = await AccountRow.insert(_row(account)).on_conflict(action="DO NOTHING")
        return bool(inserted)

    async def replace_hash(self, id_: UUID, new: str, *, expecting: str) -> bool:
        changed = (
            await AccountRow.update({AccountRow.password_hash: new})
            .where((AccountRow.id == id_) & (AccountRow.password_hash == expecting))
            .returning(AccountRow.id)
        )
        return bool(changed)

    async def set_status(self, id_: UUID, status: Status) -> None:
        changed = (
            await AccountRow.update({AccountRow.status: status})
            .where(AccountRow.id == id_)
            .returning(AccountRow.id)
        )
        if not changed:
            raise UnknownAccount

    async def erase(self, id_: UUID) -> None:
        erased = await self._database.fetch(
            "UPDATE account SET status = 'disabled', email = $2, former_email = NULL, email_verified = false, "
            "name = '', email_order = $3 WHERE id = $1 RETURNING id",
            id_,
            erased_email(id_),
            AFTER_ALL_MESSAGES,
        )
        if not erased:
            raise UnknownAccount

    async def add_role(self, email: str, role: str) -> Account:
        return await self._change_roles(email, role, with_role)

    async def remove_role(self, email: str, role: str) -> Account:
        return await self._change_roles(email, role, without_role)

    async def set_email(self, id_: UUID, email: str, sequence: int | None = None) -> Account | None:
        try:
            async with self._database.transaction() as connection:
                found = _account(
                    await AccountRow.select().where(AccountRow.id == id_).first().lock_rows("UPDATE")
                )
                if found is None:
                    raise UnknownAccount
                applied = await connection.fetchval(
                    """
                    UPDATE account SET email_order = coalesce($2::bigint, email_order)
                    WHERE id = $1 AND email_order < coalesce($2::bigint, $3) RETURNING true
                    """,
                    id_,
                    sequence,
                    AFTER_ALL_MESSAGES,
                )
                if not applied or found.email == email:
                    return None
                account = found.moved(email)
                await self._make_way(account)
                await AccountRow.update(
                    {
                        AccountRow.email: account.email,
                        AccountRow.email_verified: account.email_verified,
                        AccountRow.former_email: account.former_email,
                    }
                ).where(AccountRow.id == id_)
                await _refuse_kept(account)
                await self._tell_member(account)
        except UniqueViolationError as error:
            raise EmailTaken from error
        return account

    async def settle_email(self, id_: UUID, email: str) -> bool:
        kept = (AccountRow.email == email) & AccountRow.former_email.is_not_null()
        changed = (
            await AccountRow.update({AccountRow.former_email: None})
            .where((AccountRow.id == id_) & kept)
            .returning(AccountRow.id)
        )
        return bool(changed)

    async def recover(self, account: Account, password_hash: str) -> bool:
        try:
            async with self._database.transaction():
                found = _account(
                    await AccountRow.select().where(AccountRow.id == account.id).first().lock_rows("UPDATE")
                )
                if found is None or (found.password_hash, found.recovery_email) != (
                    account.password_hash,
                    account.recovery_email,
                ):
                    return False
                recovered = found.recovered(password_hash)
                await AccountRow.update(
                    {
                        AccountRow.email: recovered.email,
                        AccountRow.email_verified: recovered.email_verified,
                        AccountRow.former_email: recovered.former_email,
                        AccountRow.password_hash: recovered.password_hash,
                    }
                ).where(AccountRow.id == account.id)
                if recovered.email != found.email:
                    await self._tell_member(recovered)
        except UniqueViolationError:
            # A process of an earlier release, which kept no former address, gave it to somebody else.
            return False
        return True

    async def confirm_email(self, id_: UUID, email: str) -> bool:
        changed = (
            await AccountRow.update({AccountRow.email_verified: True})
            .where((AccountRow.id == id_) & (AccountRow.email == email))
            .returning(AccountRow.id)
        )
        return bool(changed)

    async def _make_way(self, account: Account) -> None:
        """Moves another account back that has the account's address and `gives_way`."""
        rows = (
            await AccountRow.select()
            .where((AccountRow.email == account.email) & (AccountRow.id != account.id))
            .lock_rows("UPDATE")
        )
        for holder in map(_account, rows):
            if holder is not None and holder.gives_way:
                back = holder.moved(holder.recovery_email)
                await AccountRow.update(
                    {AccountRow.email: back.email, AccountRow.former_email: back.former_email}
                ).where(AccountRow.id == holder.id)
                await self._tell_member(back)

    async def _change_roles(self, email: str, role: str, change: ChangeRoles) -> Account:
        async with self._database.transaction():
            found = _account(
                await AccountRow.select().where(AccountRow.email == email).first().lock_rows("NO KEY UPDATE")
            )
            if found is None:
                raise UnknownAccount
            roles = list(change(found.roles, role))
            changed = (
                await AccountRow.update({AccountRow.roles: roles})
                .where(AccountRow.id == found.id)
                .returning(*AccountRow.all_columns())
            )
        return cast(Account, _account(changed[0]))


async def _refuse_kept(account: Account) -> None:
    """Raises EmailTaken where the account's new address is another's former one; in the transaction that gave it.

    Asked after the address was written: until its present holder has let it go, that write waits, and then this sees
    whether it was kept.
    """
    another = (AccountRow.former_email == account.email) & (AccountRow.id != account.id)
    if await AccountRow.exists().where(another):
        raise EmailTaken


def _row(account: Account) -> AccountRow:
    return AccountRow(
        id=account.id,
        email=account.email,
        name=account.name,
        roles=list(account.roles),
        status=account.status,
        password_hash=account.password_hash,
        email_verified=account.email_verified,
        created_at=account.created_at,
        former_email=account.former_email,
    )


def _account(row: dict[str, Any] | None) -> Account | None:
    if row is None:
        return None
    return Account(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        roles=tuple(row["roles"]),
        status=row["status"],
        password_hash=row["password_hash"],
        email_verified=row["email_verified"],
        created_at=row["created_at"],
        former_email=row["former_email"],
    )
