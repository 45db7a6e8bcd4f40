"""Which tokens a service accepts, what it remembers of them, and when it forgets."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest

from common.access_tokens import jwk_set
from common.access_tokens.jwk_set import VerificationKey
from services.chassis import authentication
from services.chassis.authentication import TokenAuthenticator, expected
from services.chassis.errors import Unauthenticated, Unavailable
from tests.signing import AUDIENCE, ISSUER, Signer


class Keys:
    """auth's public keys as they were fetched last; `publish` is what the next fetch brings."""

    def __init__(self, signer: Signer) -> None:
        self.known: Mapping[str, VerificationKey] = MappingProxyType(jwk_set.read(signer.jwks()))
        self.published = self.known
        self.asked: list[tuple[str, float | None]] = []

    async def look_again(self, key_id: str, patience: float | None = None) -> bool:
        self.asked.append((key_id, patience))
        self.known = self.published
        return True

    def publish(self, signer: Signer) -> None:
        self.published = MappingProxyType(jwk_set.read(signer.jwks()))


class Watch:
    """The ended sessions as they are known."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.is_current = True
        self.while_settling: Callable[[], None] = lambda: None

    def current(self) -> bool:
        return self.is_current

    async def settle(self, patience: float) -> bool:
        assert patience < 0.8, "a screen has that long"
        self.while_settling()
        return self.is_current


class Surroundings:
    """A service's authenticator, and what it depends on."""

    def __init__(self) -> None:
        self.now = time.time()
        self.signer = Signer()
        self.keys = Keys(self.signer)
        self.watch = Watch()
        self.authenticator = self.another()

    def another(self) -> TokenAuthenticator:
        return TokenAuthenticator(
            self.keys,  # type: ignore[arg-type]
            self.watch,  # type: ignore[arg-type]
            expected(ISSUER, AUDIENCE),
            clock=lambda: self.now,
        )


@pytest.fixture
def around() -> Surroundings:
    return Surroundings()


async def test_a_token_is_verified_once_for_as_long_as_it_is_good(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = around.signer.token()
    first = await around.authenticator.authenticate(token)
    monkeypatch.setattr(authentication, "verify", lambda *_: pytest.fail("it was verified again"))
    assert await around.authenticator.authenticate(token) is first


async def test_a_remembered_token_expires(around: Surroundings) -> None:
    token = around.signer.token()
    around.now = (await around.authenticator.authenticate(token)).expires_at
    with pytest.raises(Unauthenticated, match="expired"):
        await around.authenticator.authenticate(token)


async def test_a_remembered_token_is_refused_once_its_key_is_withdrawn(around: Surroundings) -> None:
    token = around.signer.token()
    await around.authenticator.authenticate(token)
    around.keys.publish(Signer("next-key"))
    around.keys.known = around.keys.published
    with pytest.raises(Unauthenticated, match="not known"):
        await around.authenticator.authenticate(token)


async def test_a_new_key_is_found_by_its_first_token_which_waits_for_less_than_a_screen_has(
    around: Surroundings,
) -> None:
    rotated = Signer("next-key")
    around.keys.publish(rotated)
    await around.authenticator.authenticate(rotated.token())
    ((asked_for, patience),) = around.keys.asked
    assert asked_for == "next-key"
    assert patience is not None
    assert patience < 0.8


async def test_before_any_key_is_known_nobody_is_told_that_a_good_token_is_bad(around: Surroundings) -> None:
    around.keys.known = around.keys.published = MappingProxyType({})
    with pytest.raises(Unavailable):
        await around.authenticator.authenticate(around.signer.token())
    with pytest.raises(Unavailable):
        await around.authenticator.check()
    with pytest.raises(Unauthenticated, match="malformed"):
        await around.authenticator.authenticate("x")


async def test_memory_is_bounded_and_the_oldest_goes_first(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "REMEMBERED", 2)
    authenticator = around.another()
    sent = [around.signer.token(jti=str(number)) for number in range(3)]
    kept = [await authenticator.authenticate(token) for token in sent]
    assert await authenticator.authenticate(sent[1]) is kept[1]
    assert await authenticator.authenticate(sent[2]) is kept[2]
    assert await authenticator.authenticate(sent[0]) is not kept[0]


async def test_an_ended_session_is_refused_also_with_a_remembered_token(around: Surroundings) -> None:
    token = around.signer.token()
    identity = await around.authenticator.authenticate(token)
    around.watch.revoked.add(str(identity.session))
    with pytest.raises(Unauthenticated, match="ended"):
        await around.authenticator.authenticate(token)


async def test_while_redis_cannot_say_who_has_left_nobody_is_let_in(around: Surroundings) -> None:
    token = around.signer.token()
    around.watch.is_current = False
    with pytest.raises(Unavailable):
        await around.authenticator.authenticate(token)
    with pytest.raises(Unavailable):
        await around.authenticator.check()


async def test_a_session_that_is_known_to_have_ended_is_refused_also_without_redis(
    around: Surroundings,
) -> None:
    token = around.signer.token()
    around.watch.revoked.add(str((await around.authenticator.authenticate(token)).session))
    around.watch.is_current = False
    with pytest.raises(Unauthenticated, match="ended"):
        await around.authenticator.authenticate(token)


async def test_what_is_heard_while_a_request_waits_counts_for_it(around: Surroundings) -> None:
    token = around.signer.token()
    session = str((await around.authenticator.authenticate(token)).session)
    around.watch.is_current = False

    def heard() -> None:
        around.watch.is_current = True
        around.watch.revoked.add(session)

    around.watch.while_settling = heard
    with pytest.raises(Unauthenticated, match="ended"):
        await around.authenticator.authenticate(token)
