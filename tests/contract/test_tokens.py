"""Both ends come to the corpus' verdict about the same tokens: the gateway's plugin and the services' authenticator.

They share their verifier (common/access_tokens); what is around it, and what it is told to expect, is each end's own.
"""

import asyncio
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.access_tokens import jwk_set
from kong.plugins.token_validator import plugin
from kong.plugins.token_validator.config import Config
from services.chassis.authentication import TokenAuthenticator, expected
from services.chassis.errors import Unauthenticated
from services.chassis.identity import Identity
from tests.contract.attacks import AUDIENCE, ISSUER, JWKS, NOW, Case, cases, good
from tests.contract.crafting import b64
from tests.fake_kong import FakeKong

CASES = cases()


class Keys:
    """auth's, and no others however often one looks."""

    known = MappingProxyType(jwk_set.read(JWKS))

    async def look_again(self, *_: Any) -> bool:
        """There is nothing new."""
        return True


class Watch:
    """No session has ended."""

    revoked: frozenset[str] = frozenset()

    def current(self) -> bool:
        return True


@pytest.fixture(autouse=True, scope="module")
def the_corpus_own_time() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugin, "time", SimpleNamespace(time=lambda: NOW))
        yield


def sendable(case: Case) -> bool:
    """Kong passes on bytes, and blanks around a token belong to the header (RFC 9110 §5.5, §11.4)."""
    return case.token.strip(" \t") == case.token and "\ud800" not in case.token


async def at_the_gateway(token: str) -> dict[str, object] | None:
    """The identity that the upstream is told; None for a token that is refused."""
    configured = plugin.Plugin(
        Config(
            issuer=ISSUER,
            audience=AUDIENCE,
            jwks_url="http://auth/jwks.json",
            redis_url="redis://redis:6379/0",
        )
    )
    configured._keys, configured._watch = Keys(), Watch()  # type: ignore[assignment]
    kong = FakeKong(headers={"authorization": f"Bearer {token}"})
    answer = await kong.run(configured, "access")
    assert answer is None or answer.status == 401
    return None if answer else dict(kong.upstream)


async def at_a_service(token: str) -> Identity | None:
    authenticator = TokenAuthenticator(
        Keys(),  # type: ignore[arg-type]
        Watch(),  # type: ignore[arg-type]
        expected(ISSUER, AUDIENCE),
        clock=lambda: NOW,
    )
    try:
        return await authenticator.authenticate(token)
    except Unauthenticated:
        return None


@pytest.mark.parametrize("case", [case for case in CASES if sendable(case)], ids=lambda case: case.name)
async def test_the_gateway_comes_to_the_verdict(case: Case) -> None:
    assert (await at_the_gateway(case.token) is not None) is case.accepted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_services_come_to_the_verdict(case: Case) -> None:
    assert (await at_a_service(case.token) is not None) is case.accepted


def test_the_corpus_is_large_and_each_case_has_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum(not case.accepted for case in CASES) >= 250


async def test_both_read_the_same_identity() -> None:
    upstream, identity = await at_the_gateway(good()), await at_a_service(good())
    assert upstream is not None
    assert identity is not None
    assert upstream["X-User-Id"] == str(identity.subject)
    assert upstream["X-Session-Id"] == str(identity.session)
    assert set(str(upstream["X-User-Roles"]).split(",")) == identity.roles


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(good()) - 1), st.characters(codec="latin-1"))
def test_no_letter_of_a_good_token_can_be_changed(position: int, letter: str) -> None:
    token = good()
    position %= len(token)
    changed = token[:position] + letter + token[position + 1 :]
    if changed != token:
        assert asyncio.run(at_a_service(changed)) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5), st.text(max_size=8))
def test_anything_else_is_refused_without_an_error(parts: list[bytes], around: str) -> None:
    assert asyncio.run(at_a_service(around + ".".join(b64(part) for part in parts))) is None
