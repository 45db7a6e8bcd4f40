"""The update from a release that moved accounts by an access token alone (docs/decisions/0012): nobody keeps what a
token alone gave them, and nobody is locked out."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from asyncpg import CheckViolationError

from services.auth.adapters import tables
from services.auth.commands import MIGRATIONS
from services.chassis import migrations
from services.chassis.migrations import migrate
from services.chassis.postgres import Database

SETTLES = "2026-11-27T03:20:00:000000"


class Before:
    """PostgreSQL as the release before left it: the statements are its own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def account(
        self, email: str, former: str | None = None, *, verified: bool = False, status: str = "active"
    ) -> UUID:
        id_ = uuid4()
        await self.database.fetch(
            "INSERT INTO account (id, email, name, roles, status, password_hash, email_verified, former_email, "
            "email_order, created_at) VALUES ($1, $2, 'Kim \"민지\"', '{member}', $5, 'hash', $4, $3, 7, now())",
            id_,
            email,
            former,
            verified,
            status,
        )
        return id_

    async def update(self) -> None:
        assert SETTLES in await migrate(self.database, *MIGRATIONS)

    async def found(self, id_: UUID) -> tuple[Any, ...]:
        [row] = await self.database.fetch("SELECT * FROM account WHERE id = $1", id_)
        return row["email"], row["pending_email"], row["email_verified"], row["former_email"]

    async def outbox(self, target: str) -> list[tuple[str, Any]]:
        rows = await self.database.fetch("SELECT * FROM outbox WHERE target = $1 ORDER BY id", target)
        return [(f"{row['method']} {row['path']}", msgspec.json.decode(row["body"])) for row in rows]


@pytest.fixture
async def before(
    new_postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Before]:
    database = tables.bound(new_postgres_database())
    listed = migrations._listed
    async with database.lifespan():
        with monkeypatch.context() as earlier:
            earlier.setattr(
                migrations, "_listed", lambda package: [one for one in listed(package) if one[0] < SETTLES]
            )
            await migrate(database, *MIGRATIONS)
        yield Before(database)


async def test_who_was_in_the_middle_of_a_move_is_back_at_the_former_address(before: Before) -> None:
    # Confirmed by its mail or not: whoever moved the account reads that mail.
    moved = [
        await before.account(f"new-{verified}@example.com", f"old-{verified}@example.com", verified=verified)
        for verified in (False, True)
    ]
    await before.update()
    for id_, verified in zip(moved, (False, True), strict=True):
        old, new = f"old-{verified}@example.com", f"new-{verified}@example.com"
        assert await before.found(id_) == (old, new, False, None)
        assert (
            f"PUT /internal/members/{id_}",
            {"email": old, "name": 'Kim "민지"'},
        ) in await before.outbox("member")
        assert (
            "SEND /email_change_requested",
            {"account": str(id_), "to": old},
        ) in await before.outbox("mail")
    assert (len(await before.outbox("member")), len(await before.outbox("mail"))) == (2, 2)


async def test_who_was_not_is_as_before_and_is_told_nothing(before: Before) -> None:
    settled = await before.account("minji@example.com", verified=True)
    await before.update()
    assert await before.found(settled) == ("minji@example.com", None, True, None)
    assert (await before.outbox("member"), await before.outbox("mail")) == ([], [])


async def test_a_former_address_that_somebody_else_has_by_now_stays_theirs(before: Before) -> None:
    moved = await before.account("new@example.com", "old@example.com")
    owner = await before.account("old@example.com", verified=True)
    await before.update()
    assert await before.found(moved) == ("new@example.com", None, False, None)
    assert await before.found(owner) == ("old@example.com", None, True, None)


async def test_a_disabled_account_goes_back_too(before: Before) -> None:
    moved = await before.account("new@example.com", "old@example.com", status="disabled")
    await before.update()
    assert await before.found(moved) == ("old@example.com", "new@example.com", False, None)


async def test_a_process_of_the_release_before_signs_people_in_but_moves_nobody_any_more(
    before: Before,
) -> None:
    await before.update()
    account = await before.account("minji@example.com")
    with pytest.raises(CheckViolationError):
        await before.database.fetch(
            "UPDATE account SET email = 'new@example.com', former_email = email WHERE id = $1", account
        )
