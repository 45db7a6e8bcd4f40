"""Which entries of a key set may be verification keys: one rule for plugins and services."""

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey

from common.jwk_set import candidates
from kong.plugins.token_validator import jwks as plugin
from services.chassis import jwks as services

KEY: dict[str, Any] = ECKey.generate_key("P-256", {"kid": "a"}).as_dict(private=False)
OTHER: dict[str, Any] = ECKey.generate_key("P-256", {"kid": "b"}).as_dict(private=False)


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


@pytest.mark.parametrize(
    "read", [candidates, plugin.read, services.parse], ids=["rule", "plugin", "services"]
)
def test_of_two_keys_with_one_kid_neither_is_taken(read: Any) -> None:
    assert set(read(document(KEY, OTHER, KEY | {"x": OTHER["x"], "y": OTHER["y"]}))) == {"b"}
    assert set(read(document(OTHER, KEY, KEY))) == {"b"}
    assert set(read(document(KEY, OTHER, {"kid": "a", "kty": "oct"}))) == {"b"}


@pytest.mark.parametrize("read", [plugin.read, services.parse], ids=["plugin", "services"])
@pytest.mark.parametrize(
    "unfit",
    [
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"key_ops": 1},
        {"d": "AAAA"},
        {"kid": 1},
        {"x": 7},
    ],
)
def test_plugin_and_services_pass_over_the_same(read: Any, unfit: dict[str, Any]) -> None:
    assert set(read(document(KEY | unfit, OTHER))) == {"b"}


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"keys": [1]}', b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("read", [candidates, plugin.read, services.parse])
def test_what_is_no_key_set_is_an_error(read: Any, text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a JSON Web Key Set$|^it holds no key"):
        read(text)
