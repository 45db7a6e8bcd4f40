"""Reads a plugin's configuration by the same schema that Kong checks it with.

Kong has checked a configuration before a plugin sees it, and filled in the defaults; the stand-in gateway,
tests and future Kongs may not have. So defaults and bounds stand once, in the schema, and both sides go by
them.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from common import address, redis_address
from common.secret_files import lookup
from kong.plugins.runtime.errors import ConfigError

Field = Mapping[str, Mapping[str, Any]]
"""One field of Kong's schema language: its name, and what Kong's `kong/db/schema/metaschema.lua` allows about it."""

C = TypeVar("C", bound=msgspec.Struct)


def read(schema: Sequence[Field], given: Mapping[str, Any], into: type[C]) -> C:
    """`given` as `into`, with the schema's defaults for what is absent or null. Raises ConfigError naming the field."""
    values: dict[str, Any] = {}
    for field in schema:
        for name, rules in field.items():
            value = given.get(name)
            if value is None:
                value = rules.get("default")
            if value is None:
                if rules.get("required"):
                    raise ConfigError(name, "required field missing")
                continue
            values[name] = _checked(name, value, rules)
    return msgspec.convert(values, into)


def with_redis_url(given: Mapping[str, Any], password_variable: str) -> dict[str, Any]:
    """`given` with the process's own REDIS_URL, and the password in `password_variable`, where it names no Redis.

    So Kong's configuration, which its Admin API shows, need hold no password. Both may come from files (NAME_FILE).
    """
    redis_url = given.get("redis_url") or _redis_url_of_the_process(password_variable)
    if not redis_url:
        raise ConfigError("redis_url", "required field missing, and REDIS_URL is not in the environment")
    try:
        redis_address.parse(redis_url)
    except (ValueError, OSError) as error:
        raise ConfigError("redis_url", str(error)) from None
    return {**given, "redis_url": redis_url}


def _redis_url_of_the_process(password_variable: str) -> str | None:
    try:
        url = lookup("REDIS_URL", os.environ)
        password = lookup(password_variable, os.environ)
    except (OSError, UnicodeDecodeError):
        raise ConfigError("redis_url", "a file with REDIS_URL or its password cannot be read") from None
    if url is None or password is None:
        return url
    try:
        return address.with_password(url, password, redis_address.SCHEMES)
    except ValueError as error:
        raise ConfigError("redis_url", f"REDIS_URL: {error}") from None


def _checked(name: str, value: Any, rules: Mapping[str, Any]) -> Any:
    match rules["type"]:
        case "string":
            _require(name, isinstance(value, str), "expected a string")
            _check_length(name, value, rules)
            if "match" in rules:
                _require(
                    name,
                    re.search(_regular_expression(rules["match"]), value),
                    "has another form than expected",
                )
        case "boolean":
            _require(name, isinstance(value, bool), "expected a boolean")
        case "integer" | "number" as kind:
            _require(
                name, isinstance(value, int | float) and not isinstance(value, bool), f"expected a {kind}"
            )
            if kind == "integer":
                _require(name, value == int(value), "expected an integer")
                value = int(value)
            if "between" in rules:
                low, high = rules["between"]
                _require(name, low <= value <= high, f"value should be between {low} and {high}")
        case "array" | "set":
            # An empty Lua table reaches us as an empty JSON object.
            value = [] if value == {} else value
            _require(name, isinstance(value, list | tuple), "expected an array")
            _check_length(name, value, rules)
            value = [_checked(name, element, rules["elements"]) for element in value]
    if "one_of" in rules:
        _require(name, value in rules["one_of"], f"expected one of: {', '.join(rules['one_of'])}")
    return value


def _check_length(name: str, value: str | Sequence[Any], rules: Mapping[str, Any]) -> None:
    low, high = rules.get("len_min", 0), rules.get("len_max", len(value))
    _require(name, low <= len(value) <= high, f"length should be between {low} and {high}")


def _regular_expression(lua_pattern: str) -> str:
    """Our schemas use the part of Lua's pattern language that differs from Python's only in its escape sign."""
    return lua_pattern.replace("%", "\\")


def _require(name: str, holds: object, reason: str) -> None:
    if not holds:
        raise ConfigError(name, reason)
