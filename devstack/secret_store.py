"""The development stack's secrets: made up at first start, kept beside its data, for its owner only.

Their names are those of the files that compose.prod.yaml mounts (gatehouse.toml).
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from devstack.declaration import declaration
from devstack.errors import SettingsError

Secrets = Mapping[str, str]
_LOCKED_WITH = ("postgres_password", "redis_password", "internal_api_key", "auth_key_encryption_key")
"""Without one of these, what was stored before could not be opened: they are made with the data alone."""


def names() -> list[str]:
    """What devstack makes up; a person gives the rest, or does without."""
    return [name.lower() for name in declaration().secrets() if not declaration().is_given(name)]


def generate() -> dict[str, str]:
    return {
        name: base64.b64encode(secrets.token_bytes(32)).decode()
        if name.endswith("encryption_key")
        else secrets.token_hex(24)
        for name in names()
    }


def load_or_create(file: Path) -> Secrets:
    """The secrets in `file`, which is created with mode 0600 if it is not there; what a new process needs is added."""
    try:
        stored = json.loads(file.read_text())
    except FileNotFoundError:
        stored = generate()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        _write(file, stored)
        return stored
    except ValueError as error:
        raise SettingsError(f"{file} is not valid JSON: {error}") from error
    missing = [name for name in _LOCKED_WITH if not isinstance(stored.get(name), str)]
    if missing:
        raise SettingsError(f"{file} lacks {', '.join(missing)}: remove it, or start with --fresh")
    if not set(names()) <= set(stored):
        stored = {**generate(), **stored}
        _write(file, stored)
    return {name: str(value) for name, value in stored.items()}


def _write(file: Path, values: Mapping[str, str]) -> None:
    file.write_text(json.dumps(values, indent=2) + "\n")
