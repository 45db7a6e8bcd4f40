"""The plugins' configurations: Kong's schema of each."""

import json
from pathlib import Path

import msgspec
import pytest

from common.access_tokens import jwk_set
from kong.plugins.idempotency.config import Config as Idempotency
from kong.plugins.response_cache.config import Config as ResponseCache
from kong.plugins.runtime import configuration
from kong.plugins.token_validator.config import Config as TokenValidator

ROOT = Path(__file__).parents[3]
PLUGINS: dict[str, type[msgspec.Struct]] = {
    "idempotency": Idempotency,
    "response-cache": ResponseCache,
    "token-validator": TokenValidator,
}


@pytest.mark.parametrize("name", PLUGINS)
def test_kong_is_told_this_schema(name: str) -> None:
    """Written down, so that a change of the struct that changes what Kong accepts is seen as such."""
    written = json.loads((ROOT / "tests/unit" / name.replace("-", "_") / "kong_schema.json").read_text())
    assert configuration.schema(PLUGINS[name]) == written


def test_every_algorithm_that_the_verifier_knows_may_be_configured() -> None:
    fields = {key: rules for field in configuration.schema(TokenValidator) for key, rules in field.items()}
    assert fields["algorithms"]["elements"]["one_of"] == [
        *jwk_set.CURVE_ALGORITHMS.values(),
        *sorted(jwk_set.RSA_ALGORITHMS),
    ]
