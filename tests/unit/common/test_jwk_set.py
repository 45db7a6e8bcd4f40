"""Only public signature keys with a name of their own come out of a key set."""

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from common.access_tokens import jwk_set
from common.access_tokens.jwk_set import KeySetError

P256: dict[str, Any] = ECKey.generate_key("P-256", {"kid": "a"}).as_dict(private=False)


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def public(key: Any, **members: Any) -> dict[str, Any]:
    made: dict[str, Any] = key.as_dict(private=False) | members
    return made


def test_a_key_is_found_by_its_name_for_the_algorithm_of_its_curve() -> None:
    keys = jwk_set.read(
        document(
            P256,
            public(ECKey.generate_key("P-384"), kid="b", use="sig", alg="ES384"),
            public(RSAKey.generate_key(2048), kid="c", alg="PS256"),
        )
    )
    assert {name: key.algorithm for name, key in keys.items()} == {"a": "ES256", "b": "ES384", "c": "PS256"}


@pytest.mark.parametrize(
    "unfit",
    [
        P256 | {"kid": "x", "alg": "ES384"},
        P256 | {"kid": "x", "use": "enc"},
        P256 | {"kid": "x", "key_ops": ["sign"]},
        P256 | {"kid": "x", "key_ops": "verify"},
        P256 | {"kid": "x", "key_ops": 1},
        P256 | {"kid": "x", "d": "AAAA"},
        P256 | {"kid": "x", "x": "AAAA"},
        P256 | {"kid": "x", "crv": "P-257"},
        P256 | {"kid": "x", "crv": "secp256k1"},
        P256 | {"kid": "x", "y": None},
        P256 | {"kid": ""},
        P256 | {"kid": 1},
        {name: value for name, value in P256.items() if name != "kid"},
        {"kty": "oct", "kid": "x", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMw"},
        {"kty": "OKP", "kid": "x", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kid": "x"},
        {"kty": "RSA", "kid": "x", "n": "AQAB", "e": "AQAB"},
    ],
)
def test_a_key_that_does_not_fit_is_passed_over(unfit: dict[str, Any]) -> None:
    assert set(jwk_set.read(document(unfit, P256))) == {"a"}


def test_two_keys_of_one_name_are_both_passed_over() -> None:
    other = public(ECKey.generate_key("P-256"), kid="b")
    assert set(jwk_set.read(document(P256, other, other))) == {"a"}
    assert set(jwk_set.read(document(P256, other, {"kid": "b", "kty": "oct"}))) == {"a"}
    with pytest.raises(KeySetError):
        jwk_set.read(document(P256, P256))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": [1]}',
        b'{"keys": "\xff"}',
        b"\xff",
        b"[" * 100_000,
        document(),
        document({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMw"}),
    ],
)
def test_a_document_without_a_usable_key_is_an_error(text: bytes) -> None:
    with pytest.raises(KeySetError):
        jwk_set.read(text)


def test_no_more_keys_than_the_limit_are_read() -> None:
    keys = jwk_set.read(document(*(P256 | {"kid": str(number)} for number in range(jwk_set.MOST_KEYS + 10))))
    assert len(keys) == jwk_set.MOST_KEYS
