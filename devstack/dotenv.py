"""The optional `.env` of the repository's root, read as Compose reads it; the real environment wins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devstack.errors import SettingsError


def parse(text: str) -> dict[str, str]:
    """KEY=VALUE lines; blank lines and `#` comments are skipped, quotes around a value are taken off.

    Raises SettingsError with the line's number for anything else.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip().removeprefix("export ")
        if not content or content.startswith("#"):
            continue
        name, separator, value = content.partition("=")
        if not separator or not name.strip().isidentifier():
            raise SettingsError(f".env:{number}: not of the form NAME=value")
        values[name.strip()] = _unquoted(value.strip())
    return values


def merged(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """`.env` below the environment."""
    file = root / ".env"
    return {**(parse(file.read_text()) if file.exists() else {}), **environment}


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()
