"""Each way in which Redis can fail has its stated answer (docs/idempotency.md), and nothing takes effect twice."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from common.redis_link import RedisLink
from tests.fake_kong import Answer, FakeKong
from tests.protocol.plugin_server import PluginServer, serving
from tests.stores import own_redis as own
from tests.waiting import until

_request_ids = itertools.count(1)
UNAVAILABLE = "/problems/idempotency-store-unavailable"


@pytest.fixture
def redis() -> Iterator[own.OwnRedis]:
    with own.running() as redis:
        yield redis


@pytest.fixture
async def server(redis: own.OwnRedis) -> AsyncIterator[PluginServer]:
    async with serving("idempotency", redis_url=redis.url, store_timeout=1.5, lock_ttl=600) as server:
        yield server


@pytest.fixture
async def operator(redis: own.OwnRedis) -> AsyncIterator[RedisLink]:
    """Who does to Redis what befalls it."""
    async with RedisLink(redis.url, 5) as link:
        yield link


def request(key: str = "abc") -> FakeKong:
    return FakeKong(
        method="POST",
        path="/api/members",
        headers={"idempotency-key": key, "x-user-id": "user-1"},
        request_id=f"{next(_request_ids):032x}",
    )


async def respond(server: PluginServer, kong: FakeKong) -> None:
    kong.status, kong.response_body = 201, b"made"
    assert await server.run(kong, "response") is None, "the client gets the upstream's own answer"


def problem(answer: Answer | None) -> Any:
    assert answer is not None, "it went upstream"
    return (
        answer.status,
        answer.problem()["type"],
        answer.problem()["retryable"],
        answer.headers["Retry-After"],
    )


async def goes_upstream(server: PluginServer) -> bool:
    return await server.run(request(), "access") is None


def pause(redis: own.OwnRedis, seconds: float) -> None:
    redis.pause()
    asyncio.get_running_loop().call_later(seconds, redis.resume)


async def test_a_full_redis_is_503_for_new_keys_and_replays_what_it_has(
    server: PluginServer, operator: RedisLink
) -> None:
    first = request("kept")
    assert await server.run(first, "access") is None
    await respond(server, first)
    await operator.command(b"CONFIG", b"SET", b"maxmemory", b"1")
    assert problem(await server.run(request("new"), "access")) == (503, UNAVAILABLE, True, "1")
    await operator.command(b"CONFIG", b"SET", b"maxmemory", b"0")
    again = await server.run(request("kept"), "access")
    assert again is not None
    assert (again.status, again.body) == (201, b"made"), "noeviction: nothing was forgotten"
    assert await server.run(request("new"), "access") is None


async def test_a_redis_that_fills_up_before_the_outcome_leaves_the_key_reserved(
    server: PluginServer, operator: RedisLink
) -> None:
    first = request()
    assert await server.run(first, "access") is None
    await operator.command(b"CONFIG", b"SET", b"maxmemory", b"1")
    await respond(server, first)
    await operator.command(b"CONFIG", b"SET", b"maxmemory", b"0")
    again = await server.run(request(), "access")
    assert again is not None
    assert again.problem()["type"] == "/problems/idempotency-in-progress"


async def test_a_connection_that_drops_while_a_script_runs_reserves_the_key_once(
    server: PluginServer, redis: own.OwnRedis, operator: RedisLink
) -> None:
    """The script is sent, its answer lost with the connection: sent again, it finds its own reservation."""
    assert await server.run(request("warm"), "access") is None
    redis.pause()
    kong = request()
    pending = asyncio.create_task(server.run(kong, "access"))
    await asyncio.sleep(0.1)
    killing = asyncio.create_task(operator.command(b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"))
    await asyncio.sleep(0.1)
    redis.resume()
    assert await killing == 1
    assert await pending is None, "it goes upstream, as the one that holds the key"
    again = await server.run(request(), "access")
    assert again is not None
    assert again.problem()["type"] == "/problems/idempotency-in-progress"
    await respond(server, kong)
    replay = await server.run(request(), "access")
    assert replay is not None
    assert replay.headers["Idempotent-Replayed"] == "true"


async def test_a_redis_that_takes_200_ms_delays_and_refuses_nothing(
    server: PluginServer, redis: own.OwnRedis
) -> None:
    assert await server.run(request("warm"), "access") is None
    kong = request()
    pause(redis, 0.2)
    assert await server.run(kong, "access") is None
    pause(redis, 0.2)
    await respond(server, kong)
    pause(redis, 0.2)
    replay = await server.run(request(), "access")
    assert replay is not None
    assert replay.status == 201


async def test_a_request_that_redis_kept_waiting_does_not_hold_its_key(
    server: PluginServer, redis: own.OwnRedis
) -> None:
    """It was told to come again: what Redis reserves for it late is freed, whatever its lease."""
    assert await server.run(request("warm"), "access") is None
    redis.pause()
    assert problem(await server.run(request(), "access")) == (503, UNAVAILABLE, True, "1")
    redis.resume()
    await until(lambda: goes_upstream(server))


async def test_a_failover_to_a_redis_that_knows_no_key_lets_the_repeat_through_to_the_service(
    server: PluginServer, redis: own.OwnRedis
) -> None:
    """What a lost Redis forgets, the service's own record answers (tests/e2e/test_idempotency_conformance.py)."""
    first = request()
    assert await server.run(first, "access") is None
    await respond(server, first)
    redis.kill()
    redis.start()
    await until(lambda: goes_upstream(server))
