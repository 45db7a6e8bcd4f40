"""Tells member of an account through the outbox: stored with its change, delivered until acknowledged."""

import msgspec

from services.auth.domain.accounts import Account
from services.chassis import outbox
from services.chassis.postgres import Database


class MemberMessage(msgspec.Struct, frozen=True):
    email: str
    name: str


class OutboxMemberMessage:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, account: Account) -> None:
        """Takes part in the caller's transaction."""
        await outbox.put(
            self._database,
            aggregate=f"member:{account.id}",
            target="member",
            method="PUT",
            path=f"/internal/members/{account.id}",
            body=MemberMessage(email=account.email, name=account.name),
        )
