"""The development stack's secrets: made up at first start, kept beside its data, for its owner only."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from devstack.errors import SettingsError


@dataclass(frozen=True)
class Secrets:
    postgres_password: str
    redis_password: str
    internal_api_key: str
    auth_key_encryption_key: str


def generate() -> Secrets:
    return Secrets(
        postgres_password=secrets.token_hex(24),
        redis_password=secrets.token_hex(24),
        internal_api_key=secrets.token_hex(24),
        auth_key_encryption_key=base64.b64encode(secrets.token_bytes(32)).decode(),
    )


def load_or_create(file: Path) -> Secrets:
    """The secrets in `file`, which is created with mode 0600 if it is not there."""
    try:
        stored = json.loads(file.read_text())
    except FileNotFoundError:
        made = generate()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(made), indent=2) + "\n")
        return made
    except ValueError as error:
        raise SettingsError(f"{file} is not valid JSON: {error}") from error
    missing = [field.name for field in fields(Secrets) if not isinstance(stored.get(field.name), str)]
    if missing:
        raise SettingsError(f"{file} lacks {', '.join(missing)}: remove it, or start with --fresh")
    return Secrets(**{field.name: stored[field.name] for field in fields(Secrets)})
