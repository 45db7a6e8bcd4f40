"""Tokens through a real plugin-server process, with an auth that rotates keys and a Redis that comes and goes."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc.jwk import ECKey

from common.redis_link import RedisLink
from tests.fake_kong import Answer, FakeKong
from tests.protocol.plugin_server import PluginServer, serving
from tests.revocations import mark_whole
from tests.stores import own_redis as own
from tests.unit.common.issuing import AUDIENCE, ISSUER, SUBJECT, claims, header, signed
from tests.waiting import WITHIN


class Auth:
    """Issues tokens and publishes the keys that it has published so far."""

    def __init__(self) -> None:
        self.keys: list[ECKey] = []
        self.fetches = 0
        self.up = True
        self.rotate()
        app = web.Application()
        app.router.add_get("/jwks.json", self._serve)
        self.server = TestServer(app)

    def rotate(self) -> None:
        """Signs with a new key from now on."""
        self.keys.append(ECKey.generate_key("P-256", {"kid": f"k{len(self.keys)}"}, private=True))

    def token(self, **changes: Any) -> str:
        key, now = self.keys[-1], time.time()
        return signed(header(kid=key.kid), claims(**{"iat": now, "exp": now + 600} | changes), key)

    async def _serve(self, _: web.Request) -> web.Response:
        self.fetches += 1
        if not self.up:
            return web.Response(status=503)
        return web.Response(body=json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}))


@pytest.fixture
async def redis() -> AsyncIterator[own.OwnRedis]:
    with own.running() as redis:
        async with RedisLink(redis.url, 2.0) as link:
            await mark_whole(link)
        yield redis


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    auth = Auth()
    await auth.server.start_server()
    yield auth
    await auth.server.close()


def config(auth: Auth, redis: own.OwnRedis) -> dict[str, Any]:
    return {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "jwks_url": str(auth.server.make_url("/jwks.json")),
        "redis_url": redis.url,
        "revocation_silence": 10,
        "jwks_cooldown": 0.1,
        "jwks_timeout": 1.5,
    }


@pytest.fixture
async def server(auth: Auth, redis: own.OwnRedis) -> AsyncIterator[PluginServer]:
    async with serving("token-validator", **config(auth, redis)) as server:
        yield server


async def ask(server: PluginServer, token: str) -> Answer | None:
    kong = FakeKong(headers={"authorization": f"Bearer {token}"})
    answer = await server.run(kong, "access")
    assert (answer is None) is ("X-User-Id" in kong.upstream)
    return answer


def status(answer: Answer | None) -> int | None:
    return answer.status if answer else None


async def until(server: PluginServer, token: str, wanted: int | None) -> None:
    async with asyncio.timeout(WITHIN):
        while status(await ask(server, token)) != wanted:
            await asyncio.sleep(0.02)


async def revoke(redis: own.OwnRedis, session: str) -> None:
    async with RedisLink(redis.url, 2.0) as link:
        exp = str(int(time.time()) + 600).encode()
        await link.command(b"XADD", b"auth:revocations", b"*", b"sid", session.encode(), b"exp", exp)


async def test_the_very_first_request_is_judged_and_not_turned_away(server: PluginServer, auth: Auth) -> None:
    kong = FakeKong(headers={"authorization": f"Bearer {auth.token()}"})
    assert await server.run(kong, "access") is None
    assert kong.upstream["X-User-Id"] == SUBJECT


async def test_a_session_that_was_ended_is_refused_and_the_others_are_not(
    server: PluginServer, auth: Auth, redis: own.OwnRedis
) -> None:
    """How soon is measured by bench/revocation.py: a time would fail on a busy machine."""
    for number in range(20):
        session = f"7d5f1c9a-0c0e-4d0f-8f4c-{number:012x}"
        token, other = auth.token(sid=session), auth.token()
        assert await ask(server, token) is None
        await revoke(redis, session)
        await until(server, token, 401)
        assert await ask(server, other) is None


async def test_a_warm_request_asks_redis_nothing(
    server: PluginServer, auth: Auth, redis: own.OwnRedis
) -> None:
    token = auth.token()
    assert await ask(server, token) is None
    async with RedisLink(redis.url, 2.0) as link:
        before, started = await commands(link), time.monotonic()
        for _ in range(300):
            assert await ask(server, token) is None
        asked, taken = await commands(link) - before, time.monotonic() - started
    # What follows the stream asks at its own pace, a read that waits 150 ms at the least and two looks at its end; the
    # first INFO counts too. None of it comes from requests, which are many times as many.
    assert asked <= 3 * (taken / 0.15 + 1) + 2


async def commands(link: RedisLink) -> int:
    """How many commands the server has carried out."""
    stats: bytes = await link.command(b"INFO", b"stats")
    return int(stats.partition(b"total_commands_processed:")[2].split()[0])


async def test_a_rotation_under_load_fails_no_request(server: PluginServer, auth: Auth) -> None:
    old, failed, done = auth.token(), [], asyncio.Event()

    async def load() -> None:
        numbers = itertools.count()
        while not done.is_set():
            number = next(numbers)
            answer = await ask(server, old if number % 2 else auth.token(jti=str(number)))
            if answer is not None:
                failed.append(answer)

    async def rotate() -> None:
        for _ in range(3):
            await asyncio.sleep(1.0)  # well over the cooldown, also on a busy machine
            auth.rotate()
        await asyncio.sleep(1.0)
        done.set()

    await asyncio.gather(rotate(), *(load() for _ in range(4)))
    assert failed == []
    assert auth.fetches < 10


async def test_while_auth_is_down_known_keys_serve_and_new_ones_do_not(
    server: PluginServer, auth: Auth
) -> None:
    old = auth.token()
    assert await ask(server, old) is None
    auth.up = False
    auth.rotate()
    assert await ask(server, auth.token()) is not None
    assert await ask(server, old) is None
    auth.up = True
    await until(server, auth.token(), None)


async def test_an_auth_that_comes_up_late_is_waited_for_with_503(redis: own.OwnRedis, auth: Auth) -> None:
    auth.up = False
    async with serving("token-validator", **config(auth, redis)) as server:
        assert status(await ask(server, auth.token())) == 503
        auth.up = True
        await until(server, auth.token(), None)


async def test_while_redis_is_down_the_answer_is_503_and_then_no_revocation_was_missed(
    server: PluginServer, auth: Auth, redis: own.OwnRedis
) -> None:
    token, other = auth.token(), auth.token(sid="7d5f1c9a-0c0e-4d0f-8f4c-51d3a6a0b799")
    assert await ask(server, token) is None
    redis.kill()
    await until(server, token, 503)
    redis.start()
    await until(server, token, 503)
    async with RedisLink(redis.url, 2.0) as link:
        await mark_whole(link)
    await revoke(redis, "7d5f1c9a-0c0e-4d0f-8f4c-51d3a6a0b799")
    await until(server, token, None)
    assert status(await ask(server, other)) == 401


async def test_while_redis_is_down_accept_lets_good_tokens_pass(auth: Auth, redis: own.OwnRedis) -> None:
    redis.kill()
    async with serving("token-validator", **config(auth, redis), on_store_error="accept") as server:
        await until(server, auth.token(), None)
        assert status(await ask(server, auth.token(exp=time.time() - 1))) == 401
