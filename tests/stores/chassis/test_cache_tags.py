"""The tags of a change reach the stream, whoever names them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from common.redis_link import RedisLink
from services.chassis import outbox
from services.chassis.cache_tags import MOST_AT_ONCE, STREAM, TARGET, AtOnce, CacheTags, TagTarget
from services.chassis.postgres import Database
from tests.stores import own_redis as own
from tests.stores.chassis.messages import waiting
from tests.waiting import WITHIN


@pytest.fixture
async def link(own_redis: own.OwnRedis) -> AsyncIterator[RedisLink]:
    async with RedisLink(own_redis.url, 5.0) as link:
        yield link


@pytest.fixture
async def at_once(database: Database, link: RedisLink) -> AsyncIterator[AtOnce]:
    at_once = AtOnce(database, link)
    async with at_once.lifespan():
        yield at_once


def delivery(database: Database, link: RedisLink) -> outbox.Delivery:
    targets = {TARGET: TagTarget(link)}
    return outbox.Delivery(outbox.OutboxStore(database), targets=targets, registry=CollectorRegistry())


async def named(link: RedisLink) -> list[str]:
    return [fields[1].decode() for _, fields in await link.command(b"XRANGE", STREAM, b"-", b"+")]


async def until_nothing_waits(database: Database) -> None:
    async with asyncio.timeout(WITHIN):
        while await waiting(database):
            await asyncio.sleep(0.01)


async def test_whoever_made_a_change_names_its_tags_once(
    database: Database, link: RedisLink, at_once: AtOnce
) -> None:
    tags = CacheTags(database, at_once=at_once)
    async with database.transaction():
        await tags.moved(["b", "a", "b"])
        assert await named(link) == []
    await until_nothing_waits(database)
    assert await named(link) == ["a,b"]


async def test_a_change_that_is_rolled_back_names_nothing(
    database: Database, link: RedisLink, at_once: AtOnce
) -> None:
    tags = CacheTags(database, at_once=at_once)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await tags.moved(["a"])
            raise ZeroDivisionError
    async with database.transaction():
        await tags.moved(["b"])
    await until_nothing_waits(database)
    assert await named(link) == ["b"]


async def test_what_its_process_could_not_name_the_outbox_names_soon(
    database: Database, link: RedisLink, at_once: AtOnce, own_redis: own.OwnRedis
) -> None:
    tags = CacheTags(database, at_once=at_once)
    own_redis.kill()
    async with database.transaction():
        await tags.moved(["a"])
    await asyncio.sleep(0)
    own_redis.start()
    async with delivery(database, link).lifespan():
        await until_nothing_waits(database)
    assert set(await named(link)) == {"a"}


async def test_what_replicas_remember_is_named_again_when_they_have_forgotten_it(
    database: Database, link: RedisLink, at_once: AtOnce
) -> None:
    tags = CacheTags(database, at_once=at_once, settles=60)
    async with database.transaction():
        await tags.moved(["a"], remembered=True)
    async with asyncio.timeout(WITHIN):
        while len(await waiting(database)) > 1:
            await asyncio.sleep(0.01)
    (again,) = await waiting(database)
    async with database.transaction() as connection:
        due = await connection.fetchval("SELECT next_attempt_at FROM outbox WHERE id = $1", again.id)
    assert due > datetime.now(UTC) + timedelta(seconds=30)
    assert await named(link) == ["a"]


async def test_of_very_many_changes_at_once_the_outbox_names_the_rest(
    database: Database, link: RedisLink, at_once: AtOnce
) -> None:
    tags, changes = CacheTags(database, at_once=at_once), MOST_AT_ONCE + 20
    async with database.transaction():
        for number in range(changes):
            await tags.moved([str(number)])
    async with delivery(database, link).lifespan():
        await until_nothing_waits(database)
    assert set(await named(link)) == {str(number) for number in range(changes)}
