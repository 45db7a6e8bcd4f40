"""A service says at its start when its database may forget what it has committed."""

import subprocess

import pytest

from devstack import throwaway, unprivileged
from devstack.postgres import Postgres
from services.chassis.durability import warn_unless_kept
from services.chassis.postgres import Database


async def test_a_database_that_may_forget_is_named(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(postgres_url, application="test")
    async with database.lifespan():
        assert await warn_unless_kept(database) == ["fsync", "full_page_writes", "synchronous_commit"]
    assert "a crash of the database may undo what was answered" in caplog.messages


async def test_the_stacks_own_database_keeps_what_it_commits() -> None:
    with throwaway.temporary_directory() as directory:
        server = Postgres(directory / "postgres", throwaway.free_port(), "secret")
        server.prepare()
        process = server.command().start(subprocess.DEVNULL)
        try:
            database = Database(server.url("postgres"), application="test")
            async with database.lifespan():
                assert await warn_unless_kept(database) == []
        finally:
            process.kill()
            process.wait()
            unprivileged.discard(server.directory)
