"""A restore puts every database in its place, or none."""

from pathlib import Path

import asyncpg
import pytest

from devstack.errors import PrepareError
from devstack.postgres import Postgres

NAMES = ("first_shop", "second_shop")


@pytest.fixture
def dumps(postgres_server: Postgres, tmp_path: Path) -> dict[str, Path]:
    """Of databases that say `saved`, and say `later` since."""
    for name in NAMES:
        postgres_server.drop_database(name)
        postgres_server.ask("postgres", f"DROP ROLE IF EXISTS {name}")
        postgres_server.ask("postgres", f"CREATE ROLE {name}")
        postgres_server.ensure_database(name)
        postgres_server.ask(name, "CREATE TABLE said AS SELECT 'saved' AS word")
        postgres_server.dump(name, tmp_path / f"{name}.dump")
        postgres_server.ask(name, "UPDATE said SET word = 'later'")
    return {name: tmp_path / f"{name}.dump" for name in NAMES}


def said(server: Postgres) -> list[str]:
    return [server.ask(name, "SELECT word FROM said").strip() for name in NAMES]


def test_a_dump_that_cannot_be_restored_leaves_every_database_as_it_was(
    postgres_server: Postgres, dumps: dict[str, Path]
) -> None:
    last = dumps["second_shop"]
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    before = postgres_server.databases()
    with pytest.raises(PrepareError, match="pg_restore"):
        postgres_server.load(dumps)
    assert said(postgres_server) == ["later", "later"]
    assert postgres_server.databases() == before


async def test_dumps_take_the_place_of_what_is_there_whoever_is_connected(
    postgres_server: Postgres, dumps: dict[str, Path]
) -> None:
    postgres_server.ask("postgres", 'CREATE DATABASE "first_shop-restoring"')  # of a restore that was killed
    connected = await asyncpg.connect(postgres_server.url("first_shop"))
    postgres_server.load(dumps, "UPDATE said SET word = word || ' and finished'")
    assert said(postgres_server) == ["later"] * 2
    postgres_server.put_in_place(dumps)
    assert set(NAMES) <= set(postgres_server.databases())
    assert not [name for name in postgres_server.databases() if "-" in name]
    postgres_server.drop_aside()
    assert said(postgres_server) == ["saved and finished"] * 2
    assert "first_shop-" not in postgres_server.ask("postgres", "SELECT datname FROM pg_database")
    assert postgres_server.ask(
        "first_shop", "SELECT tableowner FROM pg_tables WHERE tablename = 'said'"
    ).strip() == ("first_shop")
    connected.terminate()


def test_a_service_may_be_called_as_a_database_aside_once_was(postgres_server: Postgres) -> None:
    postgres_server.ensure_database("set_aside")
    try:
        postgres_server.load({})
        assert "set_aside" in postgres_server.databases()
    finally:
        postgres_server.drop_database("set_aside")
