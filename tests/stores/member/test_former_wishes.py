"""The update from a release in which a member's e-mail was changed here and auth followed."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from services.chassis import migrations
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.member.adapters.tables import MemberRow
from services.member.commands import MIGRATIONS

SETTLES = "2026-11-27T03:20:00:000000"


async def test_members_show_their_accounts_address_and_what_still_waits_is_delivered(
    new_postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(new_postgres_database(), application="test")
    database.bind(MemberRow)
    listed = migrations._listed

    async def member(email: str, account_email: str | None) -> UUID:
        id_ = uuid4()
        await database.fetch(
            "INSERT INTO member (id, email, name, name_folded, account_email, account_name, account_order, created_at, "
            "updated_at) VALUES ($1, $2, 'Minji', 'minji', $3, 'Minji', 7, now(), now())",
            id_,
            email,
            account_email,
        )
        return id_

    async def wish(id_: UUID, *, refused: bool) -> None:
        await database.fetch(
            "INSERT INTO outbox (aggregate, target, method, path, body, parked_at, dead_letter_at) "
            "VALUES ($1, 'auth', 'PUT', '/', '', CASE WHEN $2 THEN now() END, CASE WHEN $2 THEN now() END)",
            f"account:{id_}:email",
            refused,
        )

    async with database.lifespan():
        with monkeypatch.context() as earlier:
            earlier.setattr(
                migrations, "_listed", lambda package: [one for one in listed(package) if one[0] < SETTLES]
            )
            await migrate(database, *MIGRATIONS)
        refused = await member("taken@example.com", "mine@example.com")
        waiting = await member("wanted@example.com", "yours@example.com")
        same = await member("same@example.com", "same@example.com")
        without = await member("free@example.com", None)
        await wish(refused, refused=True)
        await wish(waiting, refused=False)
        assert SETTLES in await migrate(database, *MIGRATIONS)
        rows = await database.fetch("SELECT id, email, version FROM member")
        messages = await database.fetch("SELECT aggregate FROM outbox")
    assert {row["id"]: (row["email"], row["version"]) for row in rows} == {
        refused: ("mine@example.com", 2),
        waiting: ("yours@example.com", 2),
        same: ("same@example.com", 1),
        without: ("free@example.com", 1),
    }
    assert [row["aggregate"] for row in messages] == [f"account:{waiting}:email"]
