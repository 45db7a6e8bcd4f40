from __future__ import annotations

from collections.abc import Callable

import asyncpg
from coredis import Redis


async def test_gives_a_working_redis_that_is_empty(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("left", "behind")


async def test_a_later_test_sees_nothing_of_an_earlier_one(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as client:
        assert await client.get("left") is None


async def test_gives_a_working_postgres_database(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE TABLE t (n int)")
    assert await connection.fetchval("SHOW server_version_num") >= "160000"
    await connection.close()


async def test_databases_are_apart(postgres_url: str, new_postgres_database: Callable[[], str]) -> None:
    connection = await asyncpg.connect(new_postgres_database())
    assert await connection.fetchval("SELECT to_regclass('t')") is None
    await connection.close()
