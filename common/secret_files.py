"""Reads a setting from its variable, or from the file that the variable's name with _FILE names (a Docker secret)."""

from collections.abc import Mapping
from pathlib import Path


def lookup(name: str, environ: Mapping[str, str]) -> str | None:
    """The text of `name`, or None. An empty one counts as not set: compose passes unset variables on as empty.

    Line ends at the end of a file are left out, as editors write them; blanks belong to the secret.
    deploy/redis/start.sh and deploy/postgres/create-databases.sh read in the same way. Raises OSError where the file
    cannot be read, and UnicodeDecodeError.
    """
    if path := environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n") or None
    return environ.get(name) or None
