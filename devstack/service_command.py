"""A service's own command, such as `member seed-load`, in the environment that the service runs with here."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from devstack import running
from devstack.declaration import declaration
from devstack.errors import DevstackError
from devstack.secret_store import load_or_create
from devstack.settings import Settings
from devstack.topology import topology

SERVICES = tuple(process.name for process in declaration().stored)


def migrate(settings: Settings) -> int:
    """Every database; stops at the first that fails, with its exit status."""
    for service in SERVICES:
        if status := run(settings, service, ["migrate"]):
            return status
    return 0


def run(settings: Settings, service: str, arguments: Sequence[str]) -> int:
    """Its exit status. The stack has to be running. Without arguments it would be another server: that is refused."""
    if settings.runs("postgres") and not running.is_locked(settings):
        raise DevstackError("nothing runs: make up first")
    if not arguments:
        raise DevstackError(f"which command of {service}? python -m services.{service} has them")
    parts = topology(settings, load_or_create(settings.secrets_file))
    command = next(part for part in parts if part.name == service).command()
    return subprocess.run(
        [*command.argv, *arguments], env=command.environment(), cwd=command.cwd, check=False
    ).returncode
