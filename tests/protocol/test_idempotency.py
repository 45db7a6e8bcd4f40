"""The promise of a key through a real plugin-server process and a real Redis, whatever fails between."""

import asyncio
import gzip
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.fake_kong import Answer, FakeKong
from tests.protocol.plugin_server import PluginServer, serving
from tests.stores import own_redis as own
from tests.waiting import WITHIN

_request_ids = itertools.count(1)


@pytest.fixture
def redis() -> Iterator[own.OwnRedis]:
    with own.running() as redis:
        yield redis


@pytest.fixture
async def server(redis: own.OwnRedis) -> AsyncIterator[PluginServer]:
    async with serving("idempotency", redis_url=redis.url, wait=1, store_timeout=1.5) as server:
        yield server


def request(key: str = "abc", **facts: Any) -> FakeKong:
    return FakeKong(
        method="POST",
        path="/api/members",
        headers={"idempotency-key": key, "x-user-id": "user-1"},
        request_id=f"{next(_request_ids):032x}",
        **facts,
    )


async def answer_upstream(
    server: PluginServer, kong: FakeKong, status: int = 201, body: bytes = b"made"
) -> None:
    kong.status, kong.response_body = status, body
    kong.response_headers = {"x-bytes": "caf\udce9", "link": ["<a>", "<b>"]}
    assert await server.run(kong, "response") is None


def status(answer: Answer | None) -> int | None:
    return answer.status if answer else None


async def once_redis_answers(server: PluginServer, key: str = "abc") -> int | None:
    """What a request with this key gets when it is no longer turned away; None: it goes upstream."""
    async with asyncio.timeout(WITHIN):
        while (found := status(await server.run(request(key), "access"))) == 503:
            await asyncio.sleep(0.05)
    return found


async def test_the_first_answer_is_replayed_byte_for_byte(server: PluginServer) -> None:
    kong, body = request(), os.urandom(100_000)
    assert await server.run(kong, "access") is None
    await answer_upstream(server, kong, body=body)
    assert await server.run(request(), "access") == Answer(
        201,
        body,
        {
            "x-bytes": "caf\udce9",
            "link": ["<a>", "<b>"],
            "Idempotent-Replayed": "true",
            "X-Idempotency-Replayed": "true",
        },
    )


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (201, {"content-type": "application/octet-stream"}, bytes(range(256)) * 1000),
        (200, {"content-encoding": "gzip", "content-type": "text/plain"}, gzip.compress(b"text" * 5000)),
        (200, {"content-type": "text/plain"}, b""),
        (204, {"etag": '"7"'}, b""),
        (200, {"set-cookie": "a=1", "link": ["<a>", "<b>", "<a>"], "x-empty": ""}, b"{}"),
        (200, {"content-type": "text/plain"}, b"x" * (1 << 20)),
    ],
    ids=["binary", "gzip", "empty", "no-content", "repeated-headers", "just-max-body"],
)
async def test_every_kind_of_answer_comes_back_as_it_was(
    server: PluginServer, status: int, headers: dict[str, Any], body: bytes
) -> None:
    kong = request()
    assert await server.run(kong, "access") is None
    kong.status, kong.response_body, kong.response_headers = status, body, headers
    assert await server.run(kong, "response") is None
    replay = await server.run(request(), "access")
    assert replay is not None
    assert (replay.status, replay.body or b"") == (status, body)
    kept = {name: value for name, value in headers.items() if name != "set-cookie"}
    assert {name: replay.headers.get(name) or "" for name in kept} == kept
    assert "set-cookie" not in replay.headers


@pytest.mark.parametrize(
    ("headers", "body", "word"),
    [
        ({}, bytes(3_000_000), "larger than 1048576 bytes"),
        ({}, bytes(20_000_000), "larger than 1048576 bytes"),  # over what a frame may be
        ({"cache-control": "no-store"}, b"{}", "no-store"),
    ],
    ids=["3-MB", "over a frame", "no-store"],
)
async def test_an_answer_that_is_not_kept_is_409_and_never_carried_out_again(
    server: PluginServer, headers: dict[str, Any], body: bytes, word: str
) -> None:
    kong = request()
    assert await server.run(kong, "access") is None
    kong.status, kong.response_body, kong.response_headers = 200, body, headers
    assert await server.run(kong, "response") is None
    for _ in range(2):
        again = await server.run(request(), "access")
        assert again is not None
        assert again.status == 409
        assert again.problem()["type"] == "/problems/idempotency-outcome-not-kept"
        assert word in again.problem()["detail"]


async def test_of_fifty_at_once_one_goes_upstream_and_all_get_its_answer(redis: own.OwnRedis) -> None:
    effects = 0

    async def send(server: PluginServer) -> Answer | None:
        nonlocal effects
        kong = request()
        answer = await server.run(kong, "access")
        if answer is None:
            effects += 1
            await asyncio.sleep(0.1)
            await answer_upstream(server, kong)
        return answer

    async with serving("idempotency", redis_url=redis.url, wait=30, lock_ttl=60, store_timeout=1.5) as server:
        answers = await asyncio.gather(*(send(server) for _ in range(50)))
    assert effects == 1
    assert sorted(map(str, map(status, answers))) == ["201"] * 49 + ["None"]


async def test_a_server_killed_between_the_phases_costs_nothing(server: PluginServer) -> None:
    kong = request()
    assert await server.run(kong, "access") is None
    await server.kill()
    await server.start()
    await answer_upstream(server, kong)
    assert status(await server.run(request(), "access")) == 201


async def test_an_access_that_is_repeated_after_a_kill_finds_its_own_reservation(
    server: PluginServer,
) -> None:
    kong = request()
    assert await server.run(kong, "access") is None
    await server.kill()
    await server.start()
    assert await server.run(kong, "access") is None
    assert status(await server.run(request(), "access")) == 409


async def test_redis_down_means_503_and_nothing_upstream_until_it_is_back(
    server: PluginServer, redis: own.OwnRedis
) -> None:
    assert await server.run(request("before"), "access") is None
    redis.kill()
    for _ in range(20):
        assert status(await server.run(request("down"), "access")) == 503
    redis.start()
    assert await once_redis_answers(server, "down") is None


async def test_redis_hanging_means_503_while_it_hangs(server: PluginServer, redis: own.OwnRedis) -> None:
    redis.pause()
    assert status(await server.run(request(), "access")) == 503
    redis.resume()
    # What Redis reserved late is freed: test_idempotency_redis.py.
    async with asyncio.timeout(WITHIN):
        while (found := await once_redis_answers(server)) == 409:
            pass
    assert found is None


async def test_a_wrong_password_means_503(redis: own.OwnRedis) -> None:
    async with serving("idempotency", redis_url=redis.url.replace("secret", "wrong")) as server:
        answer = await server.run(request(), "access")
        assert answer is not None
        assert answer.problem()["type"] == "/problems/idempotency-store-unavailable"


async def test_redis_lost_before_the_outcome_leaves_the_client_its_answer(
    server: PluginServer, redis: own.OwnRedis
) -> None:
    kong = request()
    await server.run(kong, "access")
    redis.pause()
    await answer_upstream(server, kong)
    redis.resume()
    assert await once_redis_answers(server) in (201, 409), "kept late, or reserved until its lease ends"
