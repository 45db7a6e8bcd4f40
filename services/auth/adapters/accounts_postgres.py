"""Accounts in PostgreSQL."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast
from uuid import UUID

from asyncpg import UniqueViolationError

from services.auth.adapters.tables import AccountRow
from services.auth.domain.accounts import Account, Status, erased_email, with_role, without_role
from services.auth.domain.errors import EmailTaken, UnknownAccount
from services.chassis.postgres import Database

TellMember = Callable[[Account], Awaitable[None]]
_COLUMNS = (
    "account.id, email, name, roles, status, password_hash, email_verified, pending_email, account.created_at"
)
"""Named: a column more, which a later release adds, does not void a prepared statement."""
ChangeRoles = Callable[[tuple[str, ...], str], tuple[str, ...]]


class PostgresAccounts:
    """`tell_member` is called inside the transaction that stores an account."""

    def __init__(self, database: Database, tell_member: TellMember) -> None:
        self._database = database
        self._tell_member = tell_member

    async def by_email(self, email: str) -> Account | None:
        return _account(await AccountRow.select().where(AccountRow.email == email).first())

    async def by_id(self, id_: UUID) -> Account | None:
        return _account(await AccountRow.select().where(AccountRow.id == id_).first())

    async def held(self, id_: UUID) -> Account | None:
        return _account(await AccountRow.select().where(AccountRow.id == id_).first().lock_rows("SHARE"))

    async def register(self, account: Account) -> None:
        try:
            async with self._database.transaction():
                await AccountRow.insert(_row(account))
                await self._tell_member(account)
        except UniqueViolationError as error:
            raise EmailTaken from error

    async def add_if_absent(self, account: Account) -> bool:
        """Stores the account without a member, unless its id or address is there; whether it was stored."""
        async with self._database.transaction():
            inserted = await AccountRow.insert(_row(account)).on_conflict(action="DO NOTHING")
        return bool(inserted)

    async def set_password(self, id_: UUID, new: str, *, expecting: str, confirms: str | None = None) -> bool:
        changed = await self._database.fetch(
            "UPDATE account SET password_hash = $2, pending_email = NULL, email_verified = email_verified OR $4::text "
            "IS NOT NULL WHERE id = $1 AND password_hash = $3 AND email = coalesce($4, email) RETURNING true",
            id_,
            new,
            expecting,
            confirms,
        )
        return bool(changed)

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
            "UPDATE account SET status = 'disabled', email = $2, pending_email = NULL, email_verified = false, "
            "name = '' WHERE id = $1 RETURNING id",
            id_,
            erased_email(id_),
        )
        if not erased:
            raise UnknownAccount

    async def add_role(self, email: str, role: str) -> Account:
        return await self._change_roles(email, role, with_role)

    async def remove_role(self, email: str, role: str) -> Account:
        return await self._change_roles(email, role, without_role)

    async def propose_email(self, id_: UUID, email: str, *, expecting: str) -> Account | None:
        rows = await self._database.fetch(
            _returning(
                "UPDATE account SET pending_email = nullif($2, email) WHERE id = $1 AND password_hash = $3"
            ),
            id_,
            email,
            expecting,
        )
        return _account(rows[0]) if rows else None

    async def withdraw_email(self, id_: UUID) -> bool:
        withdrawn = await self._database.fetch(
            "UPDATE account SET pending_email = NULL WHERE id = $1 AND pending_email IS NOT NULL RETURNING true",
            id_,
        )
        return bool(withdrawn)

    async def confirm_email(self, id_: UUID, email: str) -> bool:
        changed = (
            await AccountRow.update({AccountRow.email_verified: True})
            .where((AccountRow.id == id_) & (AccountRow.email == email))
            .returning(AccountRow.id)
        )
        return bool(changed)

    async def complete_email(self, id_: UUID, email: str) -> tuple[Account, str] | None:
        return await self._move(
            "UPDATE account SET email = $2, email_verified = true, pending_email = NULL FROM before "
            "WHERE account.id = before.id AND pending_email = $2 AND status = 'active'",
            id_,
            email,
        )

    async def set_email(self, id_: UUID, email: str) -> tuple[Account, str]:
        moved = await self._move(
            "UPDATE account SET email = $2, email_verified = false, pending_email = NULL FROM before "
            "WHERE account.id = before.id AND email <> $2 AND email <> $3",
            id_,
            email,
            erased_email(id_),
        )
        present = None if moved else await self.by_id(id_)
        if moved is None and (present is None or present.email != email):
            raise UnknownAccount
        return moved or (cast(Account, present), email)

    async def keep_email(self, id_: UUID, wanted: str) -> None:
        async with self._database.transaction():
            rows = await self._database.fetch(
                _returning(
                    "UPDATE account SET pending_email = coalesce(pending_email, nullif($2, email)) "
                    "WHERE id = $1 AND email <> $3"
                ),
                id_,
                wanted,
                erased_email(id_),
            )
            if rows:
                await self._tell_member(cast(Account, _account(rows[0])))
            elif await self.by_id(id_) is None:
                raise UnknownAccount

    async def _move(self, update: str, id_: UUID, *arguments: str) -> tuple[Account, str] | None:
        """`update` changes the address, and finds the row locked, as it was, in `before`."""
        before = "WITH before AS (SELECT id, email AS former FROM account WHERE id = $1 FOR NO KEY UPDATE) "
        try:
            async with self._database.transaction():
                rows = await self._database.fetch(f"{before}{_returning(update)}, former", id_, *arguments)
                moved = _account(rows[0]) if rows else None
                if moved is None:
                    return None
                await self._tell_member(moved)
                return moved, rows[0]["former"]
        except UniqueViolationError as error:
            raise EmailTaken from error

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


def _returning(update: str) -> str:
    return f"{update} RETURNING {_COLUMNS}"


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
        pending_email=account.pending_email,
    )


def _account(row: Mapping[str, Any] | None) -> Account | None:
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
        pending_email=row["pending_email"],
    )
