"""PostgreSQL refuses to run as root, so under root it runs as `nobody`, who must be able to reach its files.

Directories that `nobody` cannot enter (a checkout below /root, say) are not opened up: the files go to a
place of their own below /var/tmp instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

USER = "nobody"
SHELTER = Path("/var/tmp")  # noqa: S108 - survives a restart of the machine; the directory below is root's own


def account() -> str | None:
    """The user to run PostgreSQL as; None: the current one."""
    return USER if os.geteuid() == 0 else None


def others_may_enter(path: Path) -> bool:
    """Whether a stranger can traverse every directory down to `path`, itself included if it is one."""
    resolved = path.resolve()
    return all(directory.stat().st_mode & stat.S_IXOTH for directory in (resolved, *resolved.parents))


def shelter(path: Path) -> Path:
    """A root-owned, traversable directory that belongs to `path` alone."""
    own_name = path.parent.resolve() / path.name  # `path` itself may be a link to here by now
    name = hashlib.sha256(os.fsencode(own_name)).hexdigest()[:12]
    place = SHELTER / f"gatehouse-{name}"
    place.mkdir(mode=0o711, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != os.geteuid():
        raise PermissionError(f"{place} belongs to somebody else")
    return place


def data_directory(wanted: Path) -> Path:
    """`wanted`, created and owned by the account; a link to a sheltered one where that is out of reach."""
    if account() is None:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        return wanted
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if not others_may_enter(wanted.parent):
        sheltered = shelter(wanted) / "data"
        if not wanted.is_symlink():
            wanted.symlink_to(sheltered)
        wanted = sheltered
    wanted.mkdir(exist_ok=True, mode=0o700)
    hand_over(wanted)
    return wanted


def hand_over(path: Path) -> None:
    """Give a file or directory to the account."""
    owner = pwd.getpwnam(USER)
    os.chown(path, owner.pw_uid, owner.pw_gid)


def program_directory(installed: Path) -> Path:
    """`installed`, by a path that the account can follow, or a copy of it where it can execute it."""
    if account() is None:
        return installed
    if others_may_enter(installed):
        return installed.resolve()  # the way there may lead through a link in a closed directory
    copy = shelter(installed) / installed.name
    if not copy.exists():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(installed, partial, symlinks=True)
        partial.rename(copy)
    return copy


def scratch_directory() -> Path:
    """For short-lived files that the account has to read."""
    usual = Path(tempfile.gettempdir())
    return usual if account() is None or others_may_enter(usual) else SHELTER


def discard(data: Path) -> None:
    """Remove a data directory, wherever it is."""
    target = data.resolve()
    if data.is_symlink():
        data.unlink()
    shutil.rmtree(target, ignore_errors=True)
    if target.parent.parent == SHELTER:
        with contextlib.suppress(OSError):  # not empty: there is more than data in it
            target.parent.rmdir()
