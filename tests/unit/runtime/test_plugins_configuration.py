"""The plugins' configurations: Kong's schema of each, and the documents that tell each field with its default."""

import json
import re
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize("name", PLUGINS)
def test_each_field_is_documented_with_its_default(name: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| ", (ROOT / f"docs/{name}.md").read_text(), re.MULTILINE))
    fields = {key: rules for field in configuration.schema(PLUGINS[name]) for key, rules in field.items()}
    assert rows == {key: _told(rules) for key, rules in fields.items()}


def test_every_algorithm_that_the_verifier_knows_may_be_configured() -> None:
    fields = {key: rules for field in configuration.schema(TokenValidator) for key, rules in field.items()}
    assert fields["algorithms"]["elements"]["one_of"] == [
        *jwk_set.CURVE_ALGORITHMS.values(),
        *sorted(jwk_set.RSA_ALGORITHMS),
    ]


def _told(rules: dict[str, Any]) -> str:
    if rules.get("required"):
        return "required"
    default = rules.get("default", "`REDIS_URL` of the process")
    return ", ".join(default) if isinstance(default, list) and default else str(default)
