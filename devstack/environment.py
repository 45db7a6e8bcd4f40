"""What of the shell's environment reaches the stack: names of the project's own, and what a program cannot do without.

Shells hold much that is meant for something else: conda's HOST, WSL's NAME, PGSSLMODE, PYTHONPATH, proxies, another
project's APP_ENV.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

GENERIC = ("HOST", "PORT", "NAME", "LOG_LEVEL", "APP_ENV", "REDIS_URL", "TIME_ZONE")
"""Names that others use as well: taken from `.env`, and from the shell as DEVSTACK_HOST and so on."""

OWN_PREFIX = "DEVSTACK_"
_SYSTEM = ("PATH", "USER", "LOGNAME", "SSL_CERT_FILE", "SSL_CERT_DIR")
_LOCALE = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def given(dotenv: Mapping[str, str], shell: Mapping[str, str]) -> dict[str, str]:
    """The settings: `.env` below the shell, whose generic names count with DEVSTACK_ before them alone."""
    own = {name: value for name, value in shell.items() if name not in GENERIC}
    meant = {name: shell[OWN_PREFIX + name] for name in GENERIC if shell.get(OWN_PREFIX + name)}
    return {**dotenv, **own, **meant}


def for_children(environment: Mapping[str, str]) -> dict[str, str]:
    """What every child process gets of `environment`: no library's own variables, no locale of the shell."""
    kept = {
        name: value for name, value in environment.items() if name in _SYSTEM or name.startswith(OWN_PREFIX)
    }
    temporary, home = environment.get("TMPDIR"), environment.get("HOME")
    if temporary and os.access(temporary, os.W_OK | os.X_OK) and Path(temporary).is_dir():
        kept["TMPDIR"] = temporary
    # Not of whoever called `su`: the driver of PostgreSQL looks into it.
    if home and os.access(home, os.X_OK):
        kept["HOME"] = home
    return {**kept, **_LOCALE}


def chosen(environment: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Those of `names` that are set, and their files (NAME_FILE)."""
    asked = {variant for name in names for variant in (name, f"{name}_FILE")}
    return {name: value for name, value in environment.items() if name in asked}
