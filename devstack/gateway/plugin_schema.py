"""A plugin's configuration against the schema of its dump, as Kong does it before a plugin sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lupa.luajit21 import LuaRuntime

from devstack.gateway.entities import ConfigError
from devstack.gateway.marks import line_of

_find: Callable[[str, str], Any] = LuaRuntime().eval(
    "function(text, pattern) return string.find(text, pattern) end"
)

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "set": (list,),
    "record": (dict,),
    "map": (dict,),
}


def completed(plugin: str, schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with the schema's defaults. Raises ConfigError for unknown, missing and mistyped fields."""
    rules = {name: rule for field in _config_fields(schema) for name, rule in field.items()}
    unknown = sorted(set(given) - set(rules))
    if unknown:
        raise ConfigError(f"plugin {plugin}: config.{unknown[0]}: unknown field", line_of(given, unknown[0]))
    values: dict[str, Any] = {}
    for name, rule in rules.items():
        value = given.get(name)
        if value is None:
            value = rule.get("default")
        if value is None:
            if rule.get("required"):
                raise ConfigError(f"plugin {plugin}: config.{name}: required field missing", line_of(given))
            continue
        try:
            _check(plugin, name, value, rule)
        except ConfigError as error:
            raise ConfigError(str(error), line_of(given, name)) from error
        values[name] = value
    for needed in schema.get("one_of_these", ()):
        if not any(values.get(name) for name in needed):
            raise ConfigError(
                f"plugin {plugin}: config: at least one of these is needed: {', '.join(needed)}",
                line_of(given),
            )
    for rule_of in schema.get("rules", ()):
        if fault := rule_of(values):
            raise ConfigError(f"plugin {plugin}: config: {fault}", line_of(given))
    return values


def _check(plugin: str, name: str, value: Any, rule: Mapping[str, Any]) -> None:
    expected = _TYPES.get(str(rule.get("type")), (object,))
    right_type = isinstance(value, expected) and (bool in expected or not isinstance(value, bool))
    if not right_type:
        raise ConfigError(f"plugin {plugin}: config.{name}: expected a {rule['type']}")
    if "one_of" in rule and value not in rule["one_of"]:
        choices = ", ".join(str(choice) for choice in rule["one_of"])
        raise ConfigError(f"plugin {plugin}: config.{name}: expected one of: {choices}")
    if "between" in rule and not rule["between"][0] <= value <= rule["between"][1]:
        low, high = rule["between"]
        raise ConfigError(f"plugin {plugin}: config.{name}: value should be between {low} and {high}")
    if "gt" in rule and not value > rule["gt"]:
        raise ConfigError(f"plugin {plugin}: config.{name}: value must be greater than {rule['gt']}")
    if isinstance(value, str | list) and not (
        rule.get("len_min", 0) <= len(value) <= rule.get("len_max", len(value))
    ):
        raise ConfigError(f"plugin {plugin}: config.{name}: has another length than allowed")
    a_reference = rule.get("referenceable") and value.startswith("{vault://")
    if "match" in rule and not a_reference and not _find(value, rule["match"]):
        # Without the value: it may be a secret.
        raise ConfigError(f"plugin {plugin}: config.{name}: has another form than expected")
    if "elements" in rule:
        for element in value:
            _check(plugin, name, element, rule["elements"])


def _config_fields(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for field in schema.get("fields", []):
        if "config" in field:
            fields: list[Mapping[str, Any]] = field["config"].get("fields", [])
            return fields
    return []
