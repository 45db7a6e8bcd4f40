"""`make up` has compose's roles and users: data of the time when every service was the superuser are handed over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from common.redis_link import RedisLink, StoreUnavailableError
from devstack import secret_store, throwaway
from devstack.declaration import declaration
from devstack.postgres import Postgres
from devstack.redis import Redis
from services.auth.commands import MIGRATIONS as AUTH
from services.catalog.commands import MIGRATIONS as CATALOG
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.member.commands import MIGRATIONS as MEMBER

OTHERS = """
CREATE SCHEMA extra; CREATE TABLE extra.note (id serial PRIMARY KEY); CREATE SEQUENCE alone;
CREATE TYPE mood AS ENUM ('good'); CREATE DOMAIN short AS text; CREATE VIEW seen AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'
"""
LEFT = """
SELECT array_agg(what) FROM (
    SELECT relname::text AS what FROM pg_class WHERE relowner = 'postgres'::regrole
        AND relnamespace::regnamespace::text IN ('public', 'extra')
        AND relkind IN ('r', 'v', 'm', 'S', 'p')
    UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = 'postgres'::regrole AND nspname = 'extra'
    UNION ALL SELECT typname FROM pg_type WHERE typowner = 'postgres'::regrole AND typname IN ('mood', 'short')
    UNION ALL SELECT proname FROM pg_proc WHERE proowner = 'postgres'::regrole AND proname = 'one') AS found
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_databases_of_the_superuser_go_to_their_roles_with_all_that_is_in_them() -> None:
    secrets = secret_store.generate()
    with throwaway.postgres() as server:
        for name, migrations in (("auth", AUTH), ("member", MEMBER)):  # catalog is new
            server.ensure_database(name)
            database = Database(server.url(name), application="former version", pool_max=2)
            async with database.lifespan():
                await migrate(database, *migrations)
        async with connected(server.url("member")) as former:
            await former.execute(OTHERS)

        for _ in range(2):  # each start does it
            await asyncio.to_thread(server.create_databases, declaration().stored, secrets)

        for name, migrations in (("auth", AUTH), ("member", MEMBER), ("catalog", CATALOG)):
            url = role_url(server, name, secrets)
            async with connected(url) as service:
                assert await service.fetchval(LEFT) is None
                assert not await service.fetchval(
                    "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
                )
            database = Database(url, application="this version", pool_max=2)
            async with database.lifespan():
                await migrate(database, *migrations)  # may add what a later version needs
        async with connected(role_url(server, "member", secrets)) as service:
            await service.execute(
                "ALTER TABLE extra.note ADD text text; INSERT INTO extra.note DEFAULT VALUES"
            )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connected(role_url(server, "member", secrets, database="auth")):
                pass


def role_url(server: Postgres, name: str, secrets: dict[str, str], *, database: str = "") -> str:
    password = secrets[f"{name}_database_password"]
    return f"postgresql://{name}:{password}@127.0.0.1:{server.port}/{database or name}"


async def test_a_right_that_redis_does_not_grant_is_missing_under_make_up_too() -> None:
    secrets = secret_store.generate()
    with throwaway.temporary_directory() as directory:
        server = Redis(directory / "redis", throwaway.free_port(), secrets["redis_password"], users=secrets)
        with throwaway.running(server, directory / "log"):

            def url(name: str) -> str:
                password = secrets[f"{name.replace('-', '_')}_redis_password"]
                return f"redis://{name}:{password}@127.0.0.1:{server.port}/0"

            async with RedisLink(url("idempotency"), 5.0) as link:
                assert await link.command(b"SET", b"idempotency:k", b"1") == b"OK"
                with pytest.raises(StoreUnavailableError, match=r"(?i)permission"):
                    await link.command(b"GET", b"auth:session:1")
            async with RedisLink(f"redis://127.0.0.1:{server.port}/0", 5.0) as link:
                with pytest.raises(StoreUnavailableError):
                    await link.command(b"PING")


def test_a_new_process_gets_its_secrets_and_the_former_ones_stay(tmp_path: Any) -> None:
    file = tmp_path / "secrets.json"
    former = {
        "postgres_password": "a",
        "redis_password": "b",
        "internal_api_key": "c",
        "auth_key_encryption_key": "d",
    }
    file.write_text(json.dumps(former))
    read = secret_store.load_or_create(file)
    assert {name: read[name] for name in former} == former
    assert len(read["member_database_password"]) == 48
    assert secret_store.load_or_create(file) == read
