"""Orders the member of a new account through the outbox: stored with it, delivered until acknowledged."""

import msgspec

from services.auth.domain.accounts import Account
from services.chassis import outbox
from services.chassis.postgres import Database


class MemberOrder(msgspec.Struct, frozen=True):
    email: str
    name: str


class OutboxMemberOrder:
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
            body=MemberOrder(email=account.email, name=account.name),
        )
