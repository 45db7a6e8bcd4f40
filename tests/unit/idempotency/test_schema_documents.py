"""The plugins' documents tell each field of their configuration with its default."""

import re
from pathlib import Path
from typing import Any

import pytest

from kong.plugins.idempotency import schema as idempotency
from kong.plugins.token_validator import schema as token_validator

DOCS = Path(__file__).parents[3] / "docs"
PLUGINS = {"idempotency": idempotency, "token-validator": token_validator}


@pytest.mark.parametrize("name", PLUGINS)
def test_each_field_is_documented_with_its_default(name: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| ", (DOCS / f"{name}.md").read_text(), re.MULTILINE))
    fields: dict[str, Any] = {key: rules for field in PLUGINS[name].SCHEMA for key, rules in field.items()}
    assert rows == {key: _told(rules) for key, rules in fields.items()}


@pytest.mark.parametrize("name", PLUGINS)
def test_each_field_is_described_within_kongs_limits_and_used(name: str) -> None:
    """Kong refuses a schema whose descriptions are shorter than 10 or longer than 500 characters."""
    fields = {key: rules for field in PLUGINS[name].SCHEMA for key, rules in field.items()}
    assert all(10 <= len(rules["description"]) <= 500 for rules in fields.values())
    assert set(fields) == set(PLUGINS[name].Config.__struct_fields__)


def _told(rules: dict[str, Any]) -> str:
    if rules.get("required"):
        return "required"
    default = rules.get("default", "`REDIS_URL` of the process")
    return ", ".join(default) if isinstance(default, list) and default else str(default)
