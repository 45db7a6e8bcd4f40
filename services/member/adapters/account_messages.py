"""Tells auth by the outbox, in the transaction of the change."""

from uuid import UUID

import msgspec

from services.chassis import outbox
from services.chassis.postgres import Database


class _Status(msgspec.Struct):
    status: str


class OutboxAccounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, id_: UUID) -> None:
        await outbox.put(
            self._database,
            aggregate=f"account:{id_}:status",
            target="auth",
            method="PUT",
            path=f"/internal/accounts/{id_}/status",
            body=_Status("deleted"),
        )
