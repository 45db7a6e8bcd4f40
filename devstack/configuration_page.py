"""Prints docs/configuration.md: every setting of every process, read from the code that reads it.

`make generate` writes the page, `make check` compares it: a setting that is added without a description, or whose
default changes, cannot leave the page behind.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from common.settings import fields, password_description
from devstack import service_settings
from devstack.declaration import declaration
from kong.plugins.runtime import configuration

Row = tuple[str, str, str, str]
"""Name, kind with bounds, default, meaning."""

INTRODUCTION = """# Configuration

<!-- Written by `make generate` from the settings themselves: edit the descriptions there, not here. -->

Each process reads its environment once, at its start, and stops with the names of all variables that
are missing or wrong. In development everything has a value: `.env.example` explains the variables that
a person may want to change, compose and `make up` set the rest. `make up` passes on every variable here;
compose those that its files name, and others from a file of your own beside them
([operations.md](operations.md#other-settings)). Any variable of a service may come from a file instead:
`NAME_FILE=/run/secrets/name`. With `APP_ENV=production` a process refuses secrets that begin with `development`.
"""
PLUGINS = """## Plugins

Not the environment but the `config` of a plugin in `kong.yml.template`; Kong checks it when it starts.
A plugin server itself reads `LOG_LEVEL` and, where the configuration names no Redis, `REDIS_URL` with the password in
{passwords}; each of them may come from a file (`NAME_FILE`).
"""


def page() -> str:
    parts = [INTRODUCTION]
    found = declaration()
    for process in found.of_kind("service", "front", "aid"):
        kind = service_settings.kind(process)
        if kind is not None:
            rows = _variables(kind)
            parts.append(_section(f"## {process.name}", "variable", rows))
    passwords = " or ".join(f"`{plugin.redis_password}`" for plugin in found.plugins if plugin.redis)
    parts.append(PLUGINS.format(passwords=passwords))
    for plugin in found.plugins:
        config = importlib.import_module(f"{plugin.package}.config").Config
        parts.append(_section(f"### {plugin.name}", "field", _fields(configuration.schema(config))))
    return "\n".join(parts)


def _section(title: str, first_column: str, rows: Iterator[Row]) -> str:
    lines = [title, "", f"| {first_column} | kind | default | meaning |", "| --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([*lines, ""])


def _variables(kind: type[msgspec.Struct]) -> Iterator[Row]:
    """One row a field of a settings struct. Raises ValueError where a field says nothing about itself."""
    for field, env, annotation in fields(kind):
        metas = [item for item in get_args(annotation)[1:] if isinstance(item, Meta)]
        description = next((meta.description for meta in metas if meta.description), None)
        if not description:
            raise ValueError(f"{kind.__module__}: {field.name} has no description")
        default = "required" if field.required else _value(field.default)
        name = env.name
        yield (
            f"`{name}`",
            _kind(annotation, metas) + (", secret" if env.secret else ""),
            default,
            description,
        )
        if env.apart:
            yield f"`{env.apart}`", "text, secret", "none", password_description(name)


def _fields(schema: Sequence[Mapping[str, Mapping[str, Any]]]) -> Iterator[Row]:
    for entry in schema:
        for name, rules in entry.items():
            default = "required" if rules.get("required") else _value(rules.get("default"))
            yield f"`{name}`", _plugin_kind(rules), default, str(rules["description"])


def _kind(annotation: Any, metas: Sequence[Meta]) -> str:
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if get_origin(base) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(base))
    bounds = [
        f"{word} {bound}"
        for meta in metas
        for word, bound in (("from", meta.ge), ("over", meta.gt), ("to", meta.le), ("below", meta.lt))
        if bound is not None
    ]
    return " ".join(
        [
            {"str": "text", "int": "number", "float": "number", "bool": "`true` or `false`"}[base.__name__],
            *bounds,
        ]
    )


def _plugin_kind(rules: Mapping[str, Any]) -> str:
    if "one_of" in rules:
        return " or ".join(f"`{choice}`" for choice in rules["one_of"])
    if rules["type"] in {"array", "set"}:
        return f"list of {_plugin_kind(rules['elements'])}"
    bounds = "" if "between" not in rules else " from {} to {}".format(*rules["between"])
    return {"string": "text", "boolean": "`true` or `false`"}.get(rules["type"], "number") + bounds


def _value(value: object) -> str:
    if value is None or value == "":
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, list):
        text = ", ".join(map(str, value)) or "[]"
    return f"`{text}`"


if __name__ == "__main__":
    sys.stdout.write(page())
