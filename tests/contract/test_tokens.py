"""Every verifier comes to the corpus' verdict: the gateway's and the services', about the same tokens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kong.plugins.token_validator import jwks as gateway_jwks
from kong.plugins.token_validator import verifier
from services.chassis import jwks, tokens
from tests.contract.attacks import AUDIENCE, ISSUER, JWKS, LARGEST, NOW, Case, cases, good
from tests.contract.crafting import b64

CASES = cases()

_gateway_keys = gateway_jwks.read(JWKS)
_service_keys = jwks.parse(JWKS)
_expected = verifier.Expected(
    issuer=ISSUER, audience=AUDIENCE, algorithms=frozenset({"ES256"}), leeway=5, max_size=LARGEST
)


def gateway_accepts(token: str) -> bool:
    return isinstance(verifier.verify(token, _gateway_keys, _expected, NOW), verifier.Identity)


def service_accepts(token: str) -> bool:
    verdict = tokens.verify(token, _service_keys, NOW, issuer=ISSUER, audience=AUDIENCE)
    return isinstance(verdict, tokens.Claims)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_gateway_comes_to_the_verdict(case: Case) -> None:
    assert gateway_accepts(case.token) is case.accepted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_services_come_to_the_verdict(case: Case) -> None:
    assert service_accepts(case.token) is case.accepted


def test_the_corpus_is_large_and_each_case_has_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum(not case.accepted for case in CASES) >= 250


def test_both_read_the_same_identity() -> None:
    gateway = verifier.verify(good(), _gateway_keys, _expected, NOW)
    service = tokens.verify(good(), _service_keys, NOW, issuer=ISSUER, audience=AUDIENCE)
    assert isinstance(gateway, verifier.Identity)
    assert isinstance(service, tokens.Claims)
    assert (gateway.subject, gateway.session) == (str(service.sub), str(service.sid))
    assert list(gateway.roles) == service.roles
    assert gateway.expires == service.exp


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(good()) - 1), st.characters(codec="latin-1"))
def test_no_letter_of_a_good_token_can_be_changed(position: int, letter: str) -> None:
    token = good()
    position %= len(token)
    changed = token[:position] + letter + token[position + 1 :]
    if changed != token:
        assert not gateway_accepts(changed)
        assert not service_accepts(changed)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5), st.text(max_size=8))
def test_anything_else_is_refused_without_an_error(parts: list[bytes], around: str) -> None:
    token = around + ".".join(b64(part) for part in parts)
    assert not gateway_accepts(token)
    assert not service_accepts(token)
