"""What a plugin gets when Redis is not well: an error in bounded time, and service again once it is back."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from common.redis_link import RedisLink, Script, StoreUnavailableError
from tests.stores.own_redis import OwnRedis
from tests.waiting import WITHIN, until

ECHO = Script("return ARGV[1]")
WRITE = Script("redis.call('SET', KEYS[1], ARGV[1]) return 1")


@pytest.fixture
async def link(own_redis: OwnRedis) -> AsyncIterator[RedisLink]:
    async with RedisLink(own_redis.url, WITHIN) as link:
        yield link


@pytest.fixture
async def hasty(own_redis: OwnRedis) -> AsyncIterator[RedisLink]:
    """One that gives up soon."""
    async with RedisLink(own_redis.url, 0.3) as link:
        await until(lambda: answers(link))
        yield link


async def answers(link: RedisLink, word: bytes = b"1") -> bool:
    """Whether Redis answers in time; with what it was asked for, in that case."""
    try:
        answer = await link.evaluate(ECHO, b"k", word)
    except StoreUnavailableError:
        return False
    assert answer == word
    return True


async def test_many_commands_share_one_connection_and_keep_their_answers(redis_url: str) -> None:
    async with RedisLink(redis_url, WITHIN) as link:
        numbers = [str(number).encode() for number in range(500)]
        assert await asyncio.gather(*(link.evaluate(ECHO, b"k", number) for number in numbers)) == numbers
        assert link.connection_number == 1


async def test_a_redis_that_is_down_fails_at_once_and_works_when_it_is_back(
    own_redis: OwnRedis, link: RedisLink
) -> None:
    assert await link.evaluate(ECHO, b"k", b"1") == b"1"
    own_redis.kill()
    start = time.monotonic()
    for _ in range(200):
        with pytest.raises(StoreUnavailableError):
            await link.evaluate(ECHO, b"k", b"1")
    assert time.monotonic() - start < WITHIN, "all together sooner than one could be waited for"
    own_redis.start()
    await until(lambda: answers(link))


async def test_a_restart_between_two_commands_is_not_noticed(own_redis: OwnRedis, link: RedisLink) -> None:
    assert await link.evaluate(ECHO, b"k", b"1") == b"1"
    own_redis.kill()
    own_redis.start()
    assert await link.evaluate(ECHO, b"k", b"2") == b"2"


async def test_a_hung_redis_fails_while_it_hangs_and_works_when_it_goes_on(own_redis: OwnRedis) -> None:
    async with RedisLink(own_redis.url, 2.0) as link:
        await until(lambda: answers(link))
        own_redis.pause()
        for _ in range(2):
            async with asyncio.timeout(10.0):  # far more than the two seconds that it was told to wait
                with pytest.raises(StoreUnavailableError):
                    await link.evaluate(ECHO, b"k", b"1")
        own_redis.resume()
        await until(lambda: answers(link))


async def test_an_answer_that_came_too_late_is_never_given_to_a_later_command(
    own_redis: OwnRedis, hasty: RedisLink
) -> None:
    own_redis.pause()
    with pytest.raises(StoreUnavailableError):
        await hasty.evaluate(ECHO, b"k", b"late")
    own_redis.resume()
    for number in range(20):
        await until(lambda word=b"%d" % number: answers(hasty, word))  # type: ignore[misc]


async def test_a_command_given_up_by_its_caller_leaves_the_link_working(link: RedisLink) -> None:
    await link.evaluate(ECHO, b"k", b"1")
    task = asyncio.create_task(link.command(b"BLPOP", b"nothing", 1))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task})
    assert await link.evaluate(ECHO, b"k", b"2") == b"2"


async def test_a_wrong_password_is_an_unavailable_store_and_not_in_the_message(own_redis: OwnRedis) -> None:
    async with RedisLink(own_redis.url.replace("secret", "hunter2"), 0.3) as link:
        with pytest.raises(StoreUnavailableError) as failure:
            await link.evaluate(ECHO, b"k", b"1")
        assert "hunter2" not in str(failure.value)


async def test_a_full_redis_is_an_unavailable_store_for_writers(own_redis: OwnRedis, link: RedisLink) -> None:
    await link.command(b"CONFIG", b"SET", b"maxmemory", b"1")
    with pytest.raises(StoreUnavailableError, match="OOM"):
        await link.evaluate(WRITE, b"k", b"1")
    await link.command(b"CONFIG", b"SET", b"maxmemory", b"0")
    assert await link.evaluate(WRITE, b"k", b"1") == 1


async def test_a_replica_that_refuses_writes_is_left_for_a_new_connection(
    own_redis: OwnRedis, link: RedisLink
) -> None:
    await link.command(b"REPLICAOF", b"127.0.0.1", b"1")
    with pytest.raises(StoreUnavailableError):
        await link.evaluate(WRITE, b"k", b"1")
    before = link.connection_number
    with pytest.raises(StoreUnavailableError):
        await link.evaluate(WRITE, b"k", b"1")
    assert link.connection_number == before + 1


async def test_a_slow_redis_is_waited_for_within_the_timeout(own_redis: OwnRedis, link: RedisLink) -> None:
    await link.evaluate(ECHO, b"k", b"1")
    own_redis.pause()
    asyncio.get_running_loop().call_later(0.2, own_redis.resume)
    assert await link.evaluate(ECHO, b"k", b"2") == b"2"


async def test_each_command_is_told_with_how_it_ended_and_how_long_it_took(own_redis: OwnRedis) -> None:
    told: list[tuple[bool, float]] = []
    async with RedisLink(own_redis.url, 2.0, ended=lambda *how: told.append(how)) as link:
        await link.evaluate(ECHO, b"k", b"1")  # unknown at first: asked for twice
        own_redis.pause()
        with pytest.raises(StoreUnavailableError):
            await link.evaluate(ECHO, b"k", b"2")
        own_redis.resume()
    assert [answered for answered, _ in told] == [True, True, False]
    assert told[-1][1] >= 1.9
