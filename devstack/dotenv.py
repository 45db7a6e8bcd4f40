"""Reads the optional `.env` of the repository's root as Compose reads it.

A parser of our own: python-dotenv knows no `$VAR`, `${VAR-default}`, `${VAR:?message}` or `NAME: value`, and reads
unclosed quotes as text. tests/unit/devstack/dotenv_cases.json holds what Compose itself made of some hundred files, and
a test asks it again where it is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from devstack import interpolation
from devstack.errors import SettingsError

_KEY = re.compile(r"(?:export[ \t\v\f\r\x85\xa0]+)?(?P<key>[^=:\n]*)(?P<end>[=:\n]|\Z)")
_BLANK = "\t\v\f\r \x85\xa0"
_ESCAPE = re.compile(r'\\([abfnrtv$"\\]|0[0-7]{3})')
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}


def parse(text: str, shell: Mapping[str, str]) -> dict[str, str]:
    """The variables of a file; `$NAME` is the shell's variable, else an earlier one of the file.

    Raises SettingsError with the line's number, and without the value, where Compose would refuse the file.
    """
    values: dict[str, str] = {}
    for line, statement in _statements(text):
        try:
            _read(statement, values, shell)
        except ValueError as fault:
            raise SettingsError(f".env:{line}: {fault}") from None
    return values


def readable(text: str, shell: Mapping[str, str]) -> dict[str, str]:
    """What can be read of a file that `parse` may refuse: enough to find a stack and to stop it."""
    values: dict[str, str] = {}
    for _, statement in _statements(text):
        try:
            _read(statement, values, shell)
        except ValueError:
            continue
    return values


def text_of(root: Path) -> str:
    """The file's text; empty where there is none. Raises SettingsError where it is not UTF-8 text that can be read."""
    try:
        # newline: Compose keeps the \r of a line end between quotes.
        with (root / ".env").open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise SettingsError(".env is not UTF-8 text") from None
    except OSError as fault:
        raise SettingsError(f".env cannot be read: {fault.strerror}") from None


Statement = tuple[str, str, str, str]
"""Key, what ends it, the quote of its value or nothing, the value's text; a quote that is not closed is `open`."""


def _statements(text: str) -> Iterator[tuple[int, Statement]]:
    """Each statement with its line's number; comments and blank lines are left out."""
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        line = text.count("\n", 0, at) + 1
        if text[at] == "#":
            at = _end_of_line(text, at)
            continue
        found = cast("re.Match[str]", _KEY.match(text, at))  # it matches anything
        at = found.end()
        key, end = found["key"].strip(), found["end"]
        if end not in ("=", ":"):
            yield line, (key, end, "", "")
            continue
        while at < len(text) and text[at] in _BLANK:
            at += 1
        if text[at : at + 1] in ("'", '"'):
            quote = text[at]
            content, at = _quoted(text, at + 1, quote)
            yield line, (key, end, quote if at else "open", content)
            at = at or _end_of_line(text, found.end())
        else:
            stop = _end_of_line(text, at)
            yield line, (key, end, "", text[at:stop].split(" #", 1)[0].rstrip())
            at = stop


def _end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found == -1 else found


def _quoted(text: str, at: int, quote: str) -> tuple[str, int]:
    """What stands up to the closing quote, and the position behind it: 0 where there is none."""
    content = []
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            following = text[at + 1]
            content.append(following if following == quote else "\\" + following)
            at += 2
        elif text[at] == quote:
            return "".join(content), at + 1
        else:
            content.append(text[at])
            at += 1
    return "", 0


def _read(statement: Statement, values: dict[str, str], shell: Mapping[str, str]) -> None:
    """Adds the statement's variable to `values`. Raises ValueError, which quotes no value."""
    key, end, quote, content = statement
    if not key or not all(sign.isalnum() or sign in "_.-[]" for sign in key):
        raise ValueError("not of the form NAME=value")
    if end not in ("=", ":"):  # a bare name: the shell's value, if it has one
        if key in shell:
            values[key] = shell[key]
        return
    if quote == "open":
        raise ValueError(f"the value of {key} has a quote that is not closed")
    if quote == '"':
        content = _ESCAPE.sub(_unescaped, content)
    if quote != "'":
        content = interpolation.expanded(content, lambda name: shell.get(name, values.get(name)))
    if not key[0].isdigit():
        values[key] = content


def _unescaped(match: re.Match[str]) -> str:
    sign = match[1]
    if sign == "$":
        return "$$"  # which the expansion makes one
    if sign[0] != "0":
        return _PLAIN[sign]
    return chr(int(sign, 8)) if int(sign, 8) < 256 else match[0]
