"""Whose files these are: checked before anything is changed, so that nobody's data changes its owner."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from devstack.errors import PrepareError


def name(user: int) -> str:
    """The account's name, or its number where it has none (in a container, say)."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def require_own(path: Path, *others: int) -> None:
    """Raises PrepareError where `path` is there and belongs neither to this account nor to one of `others`."""
    try:
        owner = path.lstat().st_uid
    except FileNotFoundError:
        return
    if owner not in (os.geteuid(), *others):
        raise PrepareError(
            f"{path} belongs to {name(owner)}, and this is {name(os.geteuid())}: nothing was changed. Go on as "
            f"{name(owner)}, or keep data of your own elsewhere with DEVSTACK_DIR=/another/directory."
        )
