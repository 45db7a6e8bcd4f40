"""The cache over the wire, with a real Redis that goes, comes back empty, and loses what it had said."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from common.redis_link import RedisLink
from kong.plugins.runtime.messages import Value
from tests.fake_kong import Answer, FakeKong
from tests.protocol.plugin_server import PluginServer, serving
from tests.stores import own_redis as own
from tests.waiting import WITHIN

STREAM = b"cache:tags"
SILENCE = 10
"""Seconds, the most that may be set: what was kept is to be shown on a machine that stands still now and then, too."""


WAIT = 1.9
"""Seconds for which others wait for the one that went upstream: the most that may be set, too."""


@pytest.fixture
def redis() -> Iterator[own.OwnRedis]:
    with own.running() as redis:
        yield redis


@pytest.fixture
async def server(redis: own.OwnRedis) -> AsyncIterator[PluginServer]:
    async with serving("response-cache", redis_url=redis.url, silence=SILENCE) as server:
        yield server


async def ask(server: PluginServer, body: bytes = b"[1]", *, tags: str = "products") -> str:
    """What Cache-Status says of a request, where upstream would answer with `body`."""
    kong = FakeKong(path="/api/products")
    answer = await server.run(kong, "access")
    if answer is None:
        kong.response_body, kong.response_headers = body, {"cache-tag": tags}
        assert await server.run(kong, "response") is None
        return str(kong.response_headers["Cache-Status"])
    assert answer.body == body, "shown is what upstream would say"
    return _status(answer)


def _status(answer: Answer) -> str:
    return str(answer.headers["Cache-Status"])


async def until_kept(server: PluginServer, body: bytes = b"[1]") -> None:
    """Asks until an answer is kept: the tags are known a moment after the plugin, or Redis, has started."""
    async with asyncio.timeout(WITHIN):
        while "hit" not in await ask(server, body):
            await asyncio.sleep(0.02)


async def until_off(server: PluginServer, body: bytes = b"[1]") -> None:
    """Asks until nothing is kept. What is shown until then is `body`."""
    async with asyncio.timeout(WITHIN):
        while "detail=store" not in await ask(server, body):
            await asyncio.sleep(0.02)


async def move(redis: own.OwnRedis, *tags: str) -> None:
    async with RedisLink(redis.url, 5) as link:
        await link.command(b"XADD", STREAM, b"*", b"tags", ",".join(tags).encode())


async def until_new(server: PluginServer, body: bytes) -> None:
    """Asks until what is shown is `body`, and then only that is."""
    async with asyncio.timeout(WITHIN):
        while True:
            kong = FakeKong(path="/api/products")
            answer = await server.run(kong, "access")
            if answer is None:
                kong.response_body, kong.response_headers = body, {"cache-tag": "products"}
                await server.run(kong, "response")
                return
            await asyncio.sleep(0.005)


async def test_a_change_that_a_service_names_is_seen(server: PluginServer, redis: own.OwnRedis) -> None:
    await until_kept(server)
    for number in range(20):
        body = b"[%d]" % number
        await move(redis, "other", "products")
        await until_new(server, body)
        await until_kept(server, body)


async def test_redis_down_is_no_cache_and_redis_back_is_a_cache(
    server: PluginServer, redis: own.OwnRedis
) -> None:
    await until_kept(server)
    redis.kill()
    await until_off(server)
    redis.start()
    await until_kept(server)


async def test_redis_that_says_nothing_is_no_cache(redis: own.OwnRedis) -> None:
    async with serving("response-cache", redis_url=redis.url, silence=1) as server:
        await until_kept(server)
        redis.pause()
        await until_off(server)
        redis.resume()
        await until_kept(server)


async def test_a_change_that_redis_lost_with_its_memory_is_not_hidden(
    server: PluginServer, redis: own.OwnRedis
) -> None:
    await move(redis, "something")
    await until_kept(server)
    redis.kill()
    await until_off(server)
    redis.lose_everything()
    redis.start()
    # The change was named to the Redis that is gone: nothing of before may be shown by the one that is there.
    await until_kept(server, b"[2]")


TRIM, DELETE = "redis.call('XTRIM', KEYS[1], 'MAXLEN', 0) ", "redis.call('DEL', KEYS[1]) "
ANOTHER = "redis.call('XADD', KEYS[1], '*', 'tags', 'other')"
CUT = {
    "trimmed": TRIM,
    "trimmed, then another change": TRIM + ANOTHER,
    "deleted": DELETE,
    "deleted, then another change": DELETE + ANOTHER,
}


@pytest.mark.parametrize("cut", CUT.values(), ids=CUT)
@pytest.mark.parametrize("empty", [True, False], ids=["the first change", "a change"])
async def test_a_change_that_was_cut_off_the_stream_before_it_was_read_is_not_hidden(
    server: PluginServer, redis: own.OwnRedis, cut: str, empty: bool
) -> None:
    if not empty:
        await move(redis, "something")
    await until_kept(server)
    async with RedisLink(redis.url, 5) as link:
        # In one step, so that nobody reads in between.
        change = "redis.call('XADD', KEYS[1], '*', 'tags', 'products') "
        await link.command(b"EVAL", (change + cut).encode(), 1, STREAM, near=STREAM)
    await until_new(server, b"[3]")
    await until_kept(server, b"[3]")


async def test_a_change_is_seen_where_redis_counts_from_lower_numbers_than_before(
    redis: own.OwnRedis,
) -> None:
    """They are its clock's: that of the former process, or of before it was set, was ahead."""
    async with (
        RedisLink(redis.url, 5) as link,
        serving("response-cache", redis_url=redis.url, silence=SILENCE, ttl=3600) as server,
    ):
        ahead = b"%d-7" % ((time.time() + 3600) * 1000)
        await link.command(b"XADD", STREAM, ahead, b"tags", b"something")
        await until_kept(server)
        await link.command(b"DEL", STREAM)
        await link.command(b"XADD", STREAM, b"*", b"tags", b"products")
        await until_new(server, b"[2]")
        await until_kept(server, b"[2]")
        await link.command(b"XADD", STREAM, b"*", b"tags", b"products")
        await until_new(server, b"[3]")


async def test_redis_that_takes_no_writes_is_no_cache(server: PluginServer, redis: own.OwnRedis) -> None:
    await until_kept(server)
    async with RedisLink(redis.url, 5) as link:
        await link.command(b"CONFIG", b"SET", b"maxmemory", b"1")
        await until_off(server)
        await link.command(b"CONFIG", b"SET", b"maxmemory", b"0")
    await until_kept(server)


async def test_of_callers_each_is_shown_what_was_made_for_them(redis: own.OwnRedis) -> None:
    """Two people, one of them with two sets of roles, and somebody who is logged out, in turns, at one address."""
    callers: list[dict[str, Value]] = [
        {"x-user-id": "ada", "x-user-roles": "member"},
        {"x-user-id": "ada", "x-user-roles": "admin,member"},
        {"x-user-id": "bob", "x-user-roles": "member"},
        {},
    ]
    upstream: list[int] = []
    async with serving(
        "response-cache", redis_url=redis.url, silence=SILENCE, scope="user", ttl=600
    ) as server:

        async def ask_as(caller: int) -> bytes:
            kong = FakeKong(path="/api/mine", headers=callers[caller])
            answer = await server.run(kong, "access")
            if answer is not None:
                return answer.body
            upstream.append(caller)
            kong.response_body = b"[%d]" % caller
            kong.response_headers = {"cache-tag": "mine", "cache-control": "private, no-cache"}
            assert await server.run(kong, "response") is None
            return kong.response_body

        async with asyncio.timeout(WITHIN):
            while upstream[-4:] != [3, 3, 3, 3]:  # until those who are somebody are answered from here
                for caller in range(len(callers)):
                    assert await ask_as(caller) == b"[%d]" % caller
        for caller in (2, 0, 3, 1, 0, 2):
            assert await ask_as(caller) == b"[%d]" % caller
        assert upstream[-1] == 3, "a logged-out caller has no answer to be kept"
        await move(redis, "mine")
        async with asyncio.timeout(WITHIN):
            while upstream[-1] != 1:
                assert await ask_as(1) == b"[1]"


@pytest.fixture
async def two(redis: own.OwnRedis) -> AsyncIterator[tuple[PluginServer, PluginServer]]:
    """As at two gateways."""
    async with (
        serving("response-cache", redis_url=redis.url, silence=SILENCE, wait=WAIT) as one,
        serving("response-cache", redis_url=redis.url, silence=SILENCE, wait=WAIT) as other,
    ):
        for server in (one, other):
            await until_kept(server)
        yield one, other


async def asking(server: PluginServer, gone_upstream: list[FakeKong]) -> Answer | None:
    kong = FakeKong(path="/api/products/crowd")
    answer = await server.run(kong, "access")
    if answer is None:
        gone_upstream.append(kong)
    return answer


async def test_of_a_crowd_at_two_gateways_one_goes_upstream(two: tuple[PluginServer, PluginServer]) -> None:
    upstream: list[FakeKong] = []
    crowd = [asyncio.ensure_future(asking(two[number % 2], upstream)) for number in range(60)]
    await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0.2)
    (first,) = upstream
    first.response_body, first.response_headers = b"[7]", {"cache-tag": "products"}
    leader = two[0] if crowd.index(next(task for task in crowd if task.done())) % 2 == 0 else two[1]
    assert await leader.run(first, "response") is None
    answers = [answer for answer in await asyncio.gather(*crowd) if answer is not None]
    assert len(answers) == 59
    assert {answer.body for answer in answers} == {b"[7]"}
    assert len(upstream) == 1


async def test_where_the_one_that_went_is_killed_the_others_go_on(
    two: tuple[PluginServer, PluginServer],
) -> None:
    upstream: list[FakeKong] = []
    began = time.monotonic()
    assert await asking(two[0], upstream) is None
    others = [asyncio.ensure_future(asking(two[1], upstream)) for _ in range(20)]
    await asyncio.sleep(0.1)  # they are on their way
    await two[0].kill()
    await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
    assert time.monotonic() - began > 0.9 * WAIT, "they waited for as long as it may take"
    assert await asyncio.gather(*others) == [None] * 20


async def test_two_configurations_share_what_is_known_and_not_what_is_kept(redis: own.OwnRedis) -> None:
    async with serving("response-cache", redis_url=redis.url, silence=SILENCE) as server:
        await until_kept(server)
        server.config = {**server.config, "ttl": 7}
        assert "stored" in await ask(server, b"[9]")


async def test_two_routes_of_one_configuration_and_path_have_an_answer_each(redis: own.OwnRedis) -> None:
    async with serving("response-cache", redis_url=redis.url, silence=SILENCE) as server:
        await until_kept(server)
        server.attach("another-route")
        assert "stored" in await ask(server, b"[of another upstream]")
        assert "hit" in await ask(server, b"[of another upstream]")
        server.attach("route-1")
        assert "hit" in await ask(server, b"[1]")


async def test_who_waits_on_one_route_is_not_given_what_another_route_said(
    two: tuple[PluginServer, PluginServer],
) -> None:
    """Between gateways an answer goes through Redis, under the name of what was asked."""
    upstream: list[FakeKong] = []
    assert await asking(two[0], upstream) is None
    two[1].attach("another-route")
    other = asyncio.ensure_future(asking(two[1], upstream))
    await asyncio.sleep(0.3)
    upstream[0].response_body, upstream[0].response_headers = b"[7]", {"cache-tag": "products"}
    assert await two[0].run(upstream[0], "response") is None
    assert await other is None
    assert len(upstream) == 2


async def command(server: PluginServer, redis: own.OwnRedis, *arguments: str) -> tuple[int | None, str]:
    """`python -m kong.plugins.response_cache` beside the server: its status, and what it prints."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kong.plugins.response_cache", *arguments),
        env=os.environ | {"REDIS_URL": redis.url, "METRICS_PORT": str(server.metrics_port)},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await running.communicate()
    return running.returncode, printed.decode()


@pytest.mark.parametrize("what", [["--all"], ["--tag", "products"], ["--path", "/api/products"]])
async def test_whoever_operates_it_can_take_answers_out(
    server: PluginServer, redis: own.OwnRedis, what: list[str]
) -> None:
    await until_kept(server)
    status, printed = await command(server, redis, "purge", *what)
    assert (status, printed[:6]) == (0, "moved:")
    await until_new(server, b"[2]")


async def test_whoever_operates_it_can_see_how_it_is(server: PluginServer, redis: own.OwnRedis) -> None:
    await until_kept(server, b"[1]")
    other = {**server.config, "ttl": 7}
    server.config, first = other, server.config
    await until_kept(server, b"[1]")
    await move(redis, "product:7", "products")
    await until_new(server, b"[2]")
    server.config = first
    await until_kept(server, b"[2]")
    status, printed = await command(server, redis, "stats")
    assert status == 0, printed
    said = {line.split()[0]: line for line in printed.splitlines()}
    assert said["entries"].split() == ["entries", "2"], "both routes together"
    assert 2 * 1024 < int(said["bytes"].split()[1]) < 4096
    assert "hit " in said["requests"]
    assert "stored 4" in said["answers"]
    assert said["following"].split() == ["following", "1"]
    assert said["behind"].split() == ["behind", "0", "s"]
    assert "product:7,products" in said["last"]
    redis.kill()
    await until_off(server, b"[2]")
    status, printed = await command(server, redis, "stats")
    assert status == 1
    assert "following  0: the cache is off" in printed


async def test_a_plugin_that_starts_asks_for_what_it_is_told_to(redis: own.OwnRedis) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return web.Response(status=200 if request.path == "/api/products" else 500)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    paths = ["/api/products", "/api/products?sort=price", "/broken"]
    async with TestServer(app) as listener:
        address = str(listener.make_url("")).rstrip("/")
        async with serving(
            "response-cache", redis_url=redis.url, silence=SILENCE, warm_up=paths, warm_up_from=address
        ) as server:
            assert await ask(server) is not None, "the start waits for none of it"
            async with asyncio.timeout(WITHIN):
                while len(asked) < len(paths):
                    await asyncio.sleep(0.02)
            await until_kept(server)
    assert sorted(asked) == sorted(paths), "each once"
