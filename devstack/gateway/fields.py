"""Reads the fields of a declarative file's entries. Each function raises ConfigError that says where and what."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from devstack.gateway.entities import ConfigError
from devstack.gateway.marks import line_of

_NAME = re.compile(r"[0-9A-Za-z._~\-\u0080-\U0010ffff]+")  # Kong's, of services, routes and plugins


def record(value: Any, where: str, line: int | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a record", line)
    return value


def records(entry: Mapping[str, Any], name: str, where: str) -> list[Mapping[str, Any]]:
    """A list of records; where it is absent, an empty one."""
    values = array(entry, name, where)
    return [
        record(value, f"an entry of {name} of {where}", line_of(values, number))
        for number, value in enumerate(values)
    ]


def array(entry: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = entry.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConfigError(f"{where}: {name}: expected an array", line_of(entry, name))
    return value


def strings(entry: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    values = array(entry, name, where)
    for number, value in enumerate(values):
        if not isinstance(value, str):
            raise ConfigError(f"{where}: {name}: expected strings", line_of(values, number))
    return tuple(values)


def name_of(entry: Mapping[str, Any], where: str) -> str:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"a {where} has no name", line_of(entry, "name"))
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: name: {name!r}: only letters, digits and . - _ ~", line_of(entry, "name")
        )
    return name


def instance_name(entry: Mapping[str, Any], where: str) -> str | None:
    value = entry.get("instance_name")
    if value is not None and (not isinstance(value, str) or not _NAME.fullmatch(value)):
        raise ConfigError(
            f"{where}: instance_name: {value!r}: a text of letters, digits and . - _ ~",
            line_of(entry, "instance_name"),
        )
    return value


def integer(
    entry: Mapping[str, Any], name: str, default: int, where: str, between: tuple[int, int] | None = None
) -> int:
    value = entry.get(name, default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Lua has numbers alone
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"{where}: {name}: expected an integer", line_of(entry, name))
    if between is not None and not between[0] <= value <= between[1]:
        raise ConfigError(
            f"{where}: {name}: value should be between {between[0]} and {between[1]}", line_of(entry, name)
        )
    return value


def boolean(entry: Mapping[str, Any], name: str, default: bool, where: str) -> bool:
    value = entry.get(name, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: {name}: expected a boolean", line_of(entry, name))
    return value


def one_of(entry: Mapping[str, Any], name: str, default: Any, where: str, choices: tuple[Any, ...]) -> Any:
    value = entry.get(name, default)
    if value not in choices or isinstance(value, bool):
        raise ConfigError(
            f"{where}: {name}: expected one of: {', '.join(map(str, choices))}", line_of(entry, name)
        )
    return value


def only(entry: Mapping[str, Any], fields: set[str], where: str) -> None:
    unknown = sorted(str(name) for name in entry if name not in fields)
    if unknown:
        raise ConfigError(f"{where}: unknown field: {', '.join(unknown)}", line_of(entry, unknown[0]))


def unique(entries: Iterable[tuple[str, int | None]], kind: str) -> None:
    """`entries` are names, each with its line."""
    seen: set[str] = set()
    for name, line in entries:
        if name in seen:
            raise ConfigError(f"more than one {kind} is called {name}", line)
        seen.add(name)


# What PCRE, which reads a path first, knows and Kong's router (Rust's regex) does not; a brace that counts nothing.
_NOT_IN_THE_ROUTER = re.compile(
    r"\\\\|\\[pP]\{\w+\}|\\[^1-9kZGKQEXRhHvVN]|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\{\d+(?:,\d*)?\}"
    r"|(?P<not>\\.|\(\?(?:[=!>|&R(]|<[=!])|\{)"
)
_MOST_TIMES = 65535


def regex(pattern: str, where: str, line: int | None) -> None:
    """Raises ConfigError for what is none to Kong or to its router, and for what this project's tools cannot read."""
    for found in _NOT_IN_THE_ROUTER.finditer(pattern):
        if found["not"]:
            raise ConfigError(f"{where}: {pattern!r}: Kong's router has no {found['not']}", line)
        if found[0][0] == "{" and any(int(count or 0) > _MOST_TIMES for count in found[0][1:-1].split(",")):
            raise ConfigError(
                f"{where}: {pattern!r} is not a regular expression: {found[0]} is too often", line
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(python_regex(pattern))
    except re.error as error:
        raise ConfigError(f"{where}: {pattern!r} is not a regular expression: {error}", line) from error


def python_regex(pattern: str) -> str:
    """Kong takes named groups as `(?<name>...)`, and `\\z` for the end."""
    return re.sub(r"(\\[^z])|\\z", lambda found: found[1] or r"\Z", re.sub(r"\(\?<(?![=!])", "(?P<", pattern))


def percent_encoded(text: str, where: str, line: int | None) -> None:
    if wrong := re.search(r"%(?![0-9A-Fa-f]{2}).{0,2}", text):
        raise ConfigError(f"{where}: invalid url-encoded value: {wrong[0]!r}", line)


def tags(entry: Mapping[str, Any], where: str) -> None:
    for number, tag in enumerate(strings(entry, "tags", where)):
        if not tag or re.search(r"[,/\x00-\x1f\x7f]", tag):
            raise ConfigError(
                f"{where}: tags: {tag!r}: printable characters without , and /",
                line_of(entry["tags"], number),
            )


def identifier(entry: Mapping[str, Any], where: str) -> None:
    value = entry.get("id")
    if value is None:
        return
    if not isinstance(value, str) or not re.fullmatch(
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", value, re.I
    ):
        raise ConfigError(f"{where}: id: expected a valid UUID", line_of(entry, "id"))
