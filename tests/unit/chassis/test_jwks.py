"""Which requests wait for auth's keys, and for how long."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from common.http_client import Answer
from services.chassis import jwks
from services.chassis.errors import Unavailable
from services.chassis.jwks import KeySet
from tests.signing import Signer


class Auth:
    """auth's key set behind a gate that a test closes; stands in for the HTTP client."""

    def __init__(self) -> None:
        self.signer = Signer()
        self.open = asyncio.Event()
        self.asked = 0

    async def call(self, *_: Any, **__: Any) -> Answer:
        self.asked += 1
        await self.open.wait()
        return Answer(200, {}, self.signer.jwks())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def auth() -> Auth:
    return Auth()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(auth: Auth, clock: Clock) -> AsyncIterator[KeySet]:
    key_set = KeySet(auth, "http://auth.test/jwks", clock=clock)  # type: ignore[arg-type]
    async with key_set.lifespan():
        yield key_set


async def known_and_old(keys: KeySet, auth: Auth, clock: Clock) -> str:
    """A kid of keys that were fetched too long ago, while auth hangs."""
    auth.open.set()
    (kid,) = await keys.for_kid(None)
    auth.open.clear()
    clock.now += 301
    return kid


async def test_a_known_key_never_waits_for_an_auth_that_hangs(keys: KeySet, auth: Auth, clock: Clock) -> None:
    kid = await known_and_old(keys, auth, clock)
    async with asyncio.timeout(0.1):
        for _ in range(20):
            assert kid in await keys.for_kid(kid)
            await asyncio.sleep(0)
    assert auth.asked == 2


async def test_what_was_refreshed_in_the_background_is_used(keys: KeySet, auth: Auth, clock: Clock) -> None:
    kid = await known_and_old(keys, auth, clock)
    auth.signer = Signer("next-key")
    await keys.for_kid(kid)
    auth.open.set()
    assert list(await keys.for_kid("next-key")) == ["next-key"]


async def test_an_unknown_key_waits_for_less_than_a_screen_has(
    keys: KeySet, auth: Auth, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jwks.UNKNOWN_KID_WAIT_S < 0.8
    monkeypatch.setattr(jwks, "UNKNOWN_KID_WAIT_S", 0.01)
    with pytest.raises(Unavailable):
        await keys.for_kid("never-seen")
    # The fetch went on without the request that began it.
    auth.open.set()
    assert await keys.for_kid("never-seen")
    assert auth.asked == 1


async def test_made_up_keys_do_not_drive_the_fetching(keys: KeySet, auth: Auth, clock: Clock) -> None:
    auth.open.set()
    for number in range(20):
        await keys.for_kid(f"made-up-{number}")
    assert auth.asked == 1
    clock.now += 5
    await keys.for_kid("made-up")
    assert auth.asked == 2


@pytest.mark.parametrize("document", [b"{", b'{"keys": "\xff"}', b"[" * 100_000, b"[]", b'{"keys": 1}'])
def test_what_is_no_key_set_is_told_as_such(document: bytes) -> None:
    with pytest.raises(ValueError, match="not a JSON Web Key Set") as caught:
        jwks.parse(document)
    assert type(caught.value) is ValueError


async def test_a_refresh_under_way_ends_with_the_service(auth: Auth, clock: Clock) -> None:
    key_set = KeySet(auth, "http://auth.test/jwks", clock=clock)  # type: ignore[arg-type]
    async with key_set.lifespan():
        kid = await known_and_old(key_set, auth, clock)
        await key_set.for_kid(kid)
        await asyncio.sleep(0)
        under_way = [task for task in asyncio.all_tasks() if task.get_name() == "key set refresh"]
    assert [task.cancelled() for task in under_way] == [True]
