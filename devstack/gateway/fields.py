"""Reads the fields of a declarative file's entries. Each function raises ConfigError that says where and what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from devstack.gateway.entities import ConfigError


def record(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a record")
    return value


def array(entry: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = entry.get(name) or []
    if not isinstance(value, list):
        raise ConfigError(f"{where}: {name}: expected an array")
    return value


def strings(entry: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    values = array(entry, name, where)
    if not all(isinstance(value, str) for value in values):
        raise ConfigError(f"{where}: {name}: expected strings")
    return tuple(values)


def name_of(entry: Mapping[str, Any], where: str) -> str:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"a {where} has no name")
    return name


def integer(entry: Mapping[str, Any], name: str, default: int, where: str) -> int:
    value = entry.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"{where}: {name}: expected an integer")
    return value


def boolean(entry: Mapping[str, Any], name: str, default: bool, where: str) -> bool:
    value = entry.get(name, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: {name}: expected a boolean")
    return value


def only(entry: Mapping[str, Any], fields: set[str], where: str) -> None:
    unknown = sorted(str(name) for name in entry if name not in fields)
    if unknown:
        raise ConfigError(f"{where}: unknown field: {', '.join(unknown)}")


def unique(names: list[str], kind: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(f"more than one {kind} is called {', '.join(repeated)}")


def regex(pattern: str, where: str) -> None:
    try:
        re.compile(python_regex(pattern))
    except re.error as error:
        raise ConfigError(f"{where}: {pattern!r} is not a regular expression: {error}") from error


def python_regex(pattern: str) -> str:
    """Kong takes named groups as `(?<name>...)`."""
    return re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
