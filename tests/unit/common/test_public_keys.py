"""The key set follows auth, and outlives it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc.jwk import ECKey

from common.access_tokens import public_keys
from common.access_tokens.public_keys import KeySource, PublicKeys
from tests.waiting import until


def key(name: str) -> dict[str, Any]:
    made: dict[str, Any] = ECKey.generate_key("P-256", {"kid": name}).as_dict(private=False)
    return made


class Auth:
    """Publishes key sets, or fails at it."""

    def __init__(self) -> None:
        self.keys = [key("a")]
        self.fetches = 0
        self.answer: Callable[[], Awaitable[web.StreamResponse]] = self.publish
        app = web.Application()
        app.router.add_get("/jwks.json", self._serve)
        self.server = TestServer(app)

    async def publish(self) -> web.StreamResponse:
        return web.Response(body=json.dumps({"keys": self.keys}), content_type="application/jwk-set+json")

    async def fail(self) -> web.StreamResponse:
        return web.Response(status=503)

    async def _serve(self, _: web.Request) -> web.StreamResponse:
        self.fetches += 1
        return await self.answer()

    def source(self, refresh: float = 300, cooldown: float = 300, timeout: float = 60) -> KeySource:
        return KeySource(str(self.server.make_url("/jwks.json")), refresh, cooldown, timeout)


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    auth = Auth()
    await auth.server.start_server()
    yield auth
    await auth.server.close()


async def test_the_keys_are_there_soon_after_the_start(auth: Auth) -> None:
    async with PublicKeys(auth.source()) as keys:
        await until(lambda: bool(keys.known))
        assert set(keys.known) == {"a"}


async def test_a_request_that_comes_before_the_first_answer_waits_for_it(auth: Auth) -> None:
    async with PublicKeys(auth.source()) as keys:
        await keys.look_again("a")
        assert set(keys.known) == {"a"}
        assert auth.fetches == 1


async def test_a_new_key_is_found_by_its_first_token(auth: Auth) -> None:
    async with PublicKeys(auth.source(cooldown=0)) as keys:
        await until(lambda: bool(keys.known))
        auth.keys.append(key("b"))
        await keys.look_again("b")
        assert set(keys.known) == {"a", "b"}


async def test_unknown_keys_cause_one_fetch_per_cooldown_however_many_ask(auth: Auth) -> None:
    async with PublicKeys(auth.source(cooldown=300)) as keys:
        await until(lambda: bool(keys.known))
        for burst in range(5):
            await asyncio.gather(*(keys.look_again(f"{burst}-{number}") for number in range(50)))
        assert auth.fetches == 2, "the first and one more"


async def test_while_auth_is_down_the_known_keys_stay_and_it_is_not_hammered(auth: Auth) -> None:
    async with PublicKeys(auth.source(refresh=0.05, cooldown=300)) as keys:
        await until(lambda: bool(keys.known))
        auth.answer = auth.fail
        before = auth.fetches
        for number in range(50):
            await keys.look_again(str(number))
        assert auth.fetches - before <= 2, "at most one for the tokens and one of the background"
        assert set(keys.known) == {"a"}


async def test_when_auth_is_back_so_are_its_new_keys(auth: Auth) -> None:
    auth.answer = auth.fail
    async with PublicKeys(auth.source(refresh=0.05)) as keys:
        await until(lambda: auth.fetches >= 1)
        assert not keys.known
        auth.answer = auth.publish
        await until(lambda: bool(keys.known))
        auth.keys = [key("b")]
        await until(lambda: set(keys.known) == {"b"})


async def test_what_is_known_is_another_mapping_after_a_change_and_only_then(auth: Auth) -> None:
    async with PublicKeys(auth.source(cooldown=0)) as keys:
        await until(lambda: bool(keys.known))
        first = keys.known
        await keys.look_again("x")
        assert keys.known is first
        auth.keys.append(key("b"))
        await keys.look_again("b")
        assert keys.known is not first


async def test_whoever_wants_to_count_is_told_of_each_fetch(auth: Auth) -> None:
    told: list[bool] = []
    async with PublicKeys(auth.source(cooldown=0), told.append) as keys:
        await until(lambda: bool(keys.known))
        auth.answer = auth.fail
        await keys.look_again("x")
    assert told == [True, False]


async def test_a_fetch_goes_on_without_those_who_wait_no_longer(auth: Auth) -> None:
    let = asyncio.Event()

    async def late() -> web.StreamResponse:
        await let.wait()
        return await auth.publish()

    auth.answer = late
    async with PublicKeys(auth.source()) as keys:
        await keys.look_again("a", patience=0.01)
        assert not keys.known
        let.set()
        await until(lambda: bool(keys.known))
    assert auth.fetches == 1


async def test_of_very_many_that_name_unknown_keys_the_rest_does_not_wait(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Auth hangs: those that wait would take the room of good tokens."""
    monkeypatch.setattr(public_keys, "MOST_WAITING", 2)
    async with PublicKeys(auth.source(cooldown=0)) as keys:
        await until(lambda: bool(keys.known))
        auth.answer = never
        waiting = [asyncio.ensure_future(keys.look_again("x")) for _ in range(2)]
        await until(lambda: auth.fetches == 2)
        assert await keys.look_again("x") is False
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)


async def test_a_set_without_usable_keys_does_not_replace_a_good_one(auth: Auth) -> None:
    async with PublicKeys(auth.source(cooldown=0)) as keys:
        await until(lambda: bool(keys.known))
        auth.keys = []
        await keys.look_again("x")
        assert set(keys.known) == {"a"}


async def endless() -> web.StreamResponse:
    return web.Response(body=b"[" * 300_000)


async def elsewhere() -> web.StreamResponse:
    raise web.HTTPFound("/jwks.json")


async def never() -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


@pytest.mark.parametrize("answer", [endless, elsewhere])
async def test_an_answer_that_is_too_long_or_elsewhere_is_none(
    auth: Auth, answer: Callable[[], Awaitable[web.StreamResponse]]
) -> None:
    auth.answer = answer
    async with PublicKeys(auth.source()) as keys:
        await keys.look_again("a")
        assert not keys.known
        assert auth.fetches == 1


async def test_an_answer_that_does_not_come_is_not_waited_for(auth: Auth) -> None:
    auth.answer = never
    async with PublicKeys(auth.source(timeout=0.2)) as keys:
        await keys.look_again("a")
        assert not keys.known
