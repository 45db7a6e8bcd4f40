"""Messages of the version before: its column `parked_at` became `dead_letter_at`, and both versions run for a while."""

import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

import services.chassis.piccolo_migrations as chassis_migrations
from services.chassis import outbox
from services.chassis.migrations import CHASSIS, migrate
from services.chassis.postgres import Database
from tests.stores.chassis.messages import put

FORMER = ("2026_11_22t19_20", "2026_11_24t19_45", "2026_11_24t22_10")


@pytest.fixture
async def upgraded(
    new_postgres_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """With one message that waits and one that the version before had given up."""
    folder = tmp_path / "former_chassis_migrations"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for file in Path(next(iter(chassis_migrations.__path__))).glob("*.py"):
        if any(moment in file.name for moment in FORMER):
            shutil.copy(file, folder)
    monkeypatch.syspath_prepend(tmp_path)
    database = Database(new_postgres_database(), application="test", pool_max=3)
    async with database.lifespan():
        assert len(await migrate(database, ("chassis", folder.name))) == len(FORMER)
        async with database.transaction() as connection:
            await connection.execute(
                "INSERT INTO outbox (aggregate, target, method, path, body, parked_at) VALUES "
                "('a', 'other', 'PUT', '/waits', '{}', NULL), ('b', 'other', 'PUT', '/refused', '{}', now())"
            )
        assert len(await migrate(database, CHASSIS)) == 3
        yield database
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


async def dead(database: Database) -> list[str]:
    return [message.path for message in await outbox.OutboxStore(database).listed(dead_only=True, limit=9)]


async def former(database: Database, statement: str) -> list[str]:
    async with database.transaction() as connection:
        return [row["path"] for row in await connection.fetch(statement)]


async def test_a_message_that_was_given_up_is_a_dead_letter_and_one_that_waits_is_due(
    upgraded: Database,
) -> None:
    assert await dead(upgraded) == ["/refused"]
    store = outbox.OutboxStore(upgraded)
    async with store.claim("other", 9) as due:
        assert [message.path for message in due.messages] == ["/waits"]
    assert [message.path for message in await store.retry_dead_letters(None)] == ["/refused"]
    async with store.claim("other", 9) as due:
        assert [message.path for message in due.messages] == ["/waits", "/refused"]


async def test_either_version_sees_what_the_other_gave_up_or_made_due(upgraded: Database) -> None:
    store = outbox.OutboxStore(upgraded)
    waiting = "SELECT path FROM outbox WHERE parked_at IS NULL ORDER BY id"
    assert await former(upgraded, waiting) == ["/waits"]
    await store.retry_dead_letters(None)
    assert await former(upgraded, waiting) == ["/waits", "/refused"]
    (message, _) = await store.listed(dead_only=False, limit=9)
    await store.dead_letter(message.id, "no")
    assert await former(upgraded, waiting) == ["/refused"]
    give_up = "UPDATE outbox SET parked_at = clock_timestamp() WHERE path = '/refused' RETURNING path"
    assert await former(upgraded, give_up) == ["/refused"]
    assert await dead(upgraded) == ["/waits", "/refused"]
    make_due = "UPDATE outbox SET parked_at = NULL WHERE path = '/waits' RETURNING path"
    assert await former(upgraded, make_due) == ["/waits"]
    assert await dead(upgraded) == ["/refused"]
    await put(upgraded, 1, "c")
    assert await former(upgraded, waiting) == ["/waits", "/internal/c"]
