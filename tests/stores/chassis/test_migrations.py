import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.chassis.errors import Unavailable
from services.chassis.migrations import CHASSIS, migrate
from services.chassis.postgres import Database

_MIGRATION = """
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "{id}"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="mine", description="")

    class Raw(Table):
        pass

    async def run():
        await Raw.raw("{sql}")

    manager.add_raw(run)
    return manager
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / f"migrations_{tmp_path.name}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def write(package: Path, id_: str, sql: str) -> None:
    (package / f"m_{id_}.py").write_text(_MIGRATION.format(id=id_, sql=sql))
    sys.modules.pop(f"{package.name}.m_{id_}", None)


async def test_replicas_that_start_at_once_migrate_once(new_postgres_database: Callable[[], str]) -> None:
    url = new_postgres_database()

    async def start() -> list[str]:
        database = Database(url, application="test")
        async with database.lifespan():
            return await migrate(database, CHASSIS)

    ran = await asyncio.gather(*(start() for _ in range(4)))
    assert sorted(len(ids) for ids in ran) == [0, 0, 0, 6]


async def test_only_what_is_new_is_run_and_in_order(database: Database, package: Path) -> None:
    write(package, "2026-01-02", "INSERT INTO effect SELECT 'second' WHERE EXISTS (SELECT 1 FROM effect)")
    write(package, "2026-01-01", "INSERT INTO effect VALUES ('first')")
    assert await migrate(database, ("mine", package.name)) == ["2026-01-01", "2026-01-02"]
    write(package, "2026-01-03", "INSERT INTO effect VALUES ('third')")
    assert await migrate(database, ("mine", package.name)) == ["2026-01-03"]
    async with database.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM effect") == 3


async def test_a_migration_may_take_longer_than_any_request(
    new_postgres_database: Callable[[], str], package: Path
) -> None:
    database = Database(new_postgres_database(), application="test", statement_timeout=0.5)
    # A second beyond the server's limit is where the driver gives up by itself.
    write(package, "2026-01-01", "SELECT pg_sleep(1.8)")
    async with database.lifespan():
        assert await migrate(database, ("mine", package.name)) == ["2026-01-01"]
        with pytest.raises(Unavailable):
            await database.fetch("SELECT pg_sleep(1.8)")


async def test_a_migration_that_fails_leaves_nothing_behind(database: Database, package: Path) -> None:
    write(package, "2026-01-01", "INSERT INTO effect VALUES ('first')")
    write(package, "2026-01-02", "SELECT broken")
    with pytest.raises(Exception, match="broken"):
        await migrate(database, ("mine", package.name))
    async with database.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM effect") == 0
        assert await connection.fetchval("SELECT count(*) FROM migration WHERE app_name = 'mine'") == 0
