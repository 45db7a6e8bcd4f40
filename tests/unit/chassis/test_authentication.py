"""What a service remembers of tokens, and when it forgets."""

import asyncio
import time
from typing import Any

import pytest

from common.http_client import Answer
from services.chassis import authentication, tokens
from services.chassis.authentication import JwksAuthenticator
from services.chassis.errors import Unauthenticated
from services.chassis.jwks import KeySet
from tests.signing import AUDIENCE, ISSUER, Signer


class Auth:
    """auth's public keys at this moment; stands in for the HTTP client."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    async def call(self, *_: Any, **__: Any) -> Answer:
        return Answer(200, {}, self.signer.jwks())


class Clocks:
    """Unix seconds for the tokens' times and a monotonic clock for the keys' age, moved together."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clocks:
    return Clocks()


@pytest.fixture
def auth() -> Auth:
    return Auth(Signer())


@pytest.fixture
def authenticator(auth: Auth, clock: Clocks) -> JwksAuthenticator:
    keys = KeySet(auth, "http://auth.test/jwks", clock=clock)  # type: ignore[arg-type]
    return JwksAuthenticator(keys, issuer=ISSUER, audience=AUDIENCE, clock=clock)


async def test_a_token_is_verified_once_for_as_long_as_it_is_good(
    authenticator: JwksAuthenticator, auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = auth.signer.token()
    first = await authenticator.authenticate(token)
    monkeypatch.setattr(tokens, "verify", lambda *_, **__: pytest.fail("it was verified again"))
    assert await authenticator.authenticate(token) is first


async def test_a_remembered_token_expires(
    authenticator: JwksAuthenticator, auth: Auth, clock: Clocks
) -> None:
    token = auth.signer.token()
    clock.now = (await authenticator.authenticate(token)).expires_at
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.authenticate(token)


async def test_a_remembered_token_is_refused_once_its_key_is_withdrawn(
    authenticator: JwksAuthenticator, auth: Auth, clock: Clocks
) -> None:
    token = auth.signer.token(exp=int(clock.now) + 3600)
    await authenticator.authenticate(token)
    auth.signer = Signer("next-key")
    clock.now += 301
    # The request that finds the keys old does not wait for new ones; those after it are judged by them.
    await authenticator.authenticate(token)
    await asyncio.sleep(0)
    with pytest.raises(Unauthenticated, match="not known"):
        await authenticator.authenticate(token)


async def test_memory_is_bounded_and_the_oldest_goes_first(
    authenticator: JwksAuthenticator, auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "REMEMBERED", 2)
    sent = [auth.signer.token(jti=str(number)) for number in range(3)]
    kept = [await authenticator.authenticate(token) for token in sent]
    assert await authenticator.authenticate(sent[1]) is kept[1]
    assert await authenticator.authenticate(sent[2]) is kept[2]
    assert await authenticator.authenticate(sent[0]) is not kept[0]
