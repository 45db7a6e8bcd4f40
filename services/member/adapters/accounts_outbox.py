"""Tells auth by the outbox, in the transaction of the change."""

from uuid import UUID

import msgspec

from services.chassis import outbox
from services.chassis.postgres import Database


class _Status(msgspec.Struct):
    status: str


class _Email(msgspec.Struct):
    email: str


class AccountsOutbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, id_: UUID) -> None:
        # They hold an address, and there is nothing left that they could change.
        await outbox.withdraw(self._database, aggregate=_aggregate(id_, "email"))
        await self._put(id_, "status", _Status("deleted"))

    async def change_email(self, id_: UUID, email: str) -> None:
        await self._put(id_, "email", _Email(email))

    async def email_under_way(self, id_: UUID) -> bool:
        return await outbox.waits(self._database, aggregate=_aggregate(id_, "email"))

    async def _put(self, id_: UUID, what: str, body: msgspec.Struct) -> None:
        await outbox.put(
            self._database,
            aggregate=_aggregate(id_, what),
            target="auth",
            method="PUT",
            path=f"/internal/accounts/{id_}/{what}",
            body=body,
        )


def _aggregate(id_: UUID, what: str) -> str:
    """Each for itself: an address that auth refuses must not keep an account from being deleted."""
    return f"account:{id_}:{what}"
