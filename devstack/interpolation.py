"""Compose's `$VAR` and `${VAR:-default}`, as its reference has them under "Interpolation"."""

from __future__ import annotations

import re
from collections.abc import Callable

Lookup = Callable[[str], str | None]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def expanded(text: str, lookup: Lookup) -> str:
    """`text` with `$NAME`, `${NAME}`, and `${NAME:-default}`, `-`, `:+`, `+`, `:?`, `?` as Compose has them.

    Raises ValueError, which quotes no value.
    """
    result, at = [], 0
    while (dollar := text.find("$", at)) != -1:
        result.append(text[at:dollar])
        at = dollar + 1
        if text.startswith("$", at):
            result.append("$")
            at += 1
        elif text.startswith("{", at):
            closing = _closing(text, at + 1)
            result.append(_braced(text[at + 1 : closing], lookup))
            at = closing + 1
        elif name := _NAME.match(text, at):
            result.append(lookup(name[0]) or "")
            at = name.end()
        else:
            result.append("$")
    return "".join([*result, text[at:]])


def _closing(text: str, at: int) -> int:
    depth = 1
    while at < len(text):
        if text.startswith("${", at):
            depth += 1
            at += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise ValueError("a ${ without its }")


def _braced(expression: str, lookup: Lookup) -> str:
    name = _NAME.match(expression)
    rest = expression[name.end() :] if name else ""
    found = re.match(r":?[-+?]", rest)
    if name is None or (rest and found is None):
        raise ValueError("a ${…} that names no variable")
    value = lookup(name[0])
    if found is None:
        return value or ""
    operator, word = found[0], rest[found.end() :]
    is_there = value is not None and (value != "" or operator[0] != ":")
    match operator[-1]:
        case "-":
            return (value or "") if is_there else expanded(word, lookup)
        case "+":
            return expanded(word, lookup) if is_there else ""
        case _:
            if not is_there:
                raise ValueError(f"{name[0]} is required and not set")
            return value or ""
