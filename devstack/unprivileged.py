"""PostgreSQL refuses to run as root, so under root it runs as `nobody`, who must be able to reach its files.

Directories that `nobody` cannot enter (a checkout below /root, say) are not opened up: the files go to a
place of their own below /var/tmp instead. So do programs whose path a shell could not name.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from devstack import account as owners
from devstack.errors import PrepareError

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
    """A directory of this account's below /var/tmp, which everybody can enter, that belongs to `path` alone."""
    own_name = path.parent.resolve() / path.name  # `path` itself may be a link to here by now
    name = hashlib.sha256(os.fsencode(own_name)).hexdigest()[:12]
    user = os.geteuid()
    place = SHELTER / (f"gatehouse-{user}-{name}" if user else f"gatehouse-{name}")
    place.mkdir(exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != user:
        raise PrepareError(f"{place} is not {owners.name(user)}'s: remove it")
    place.chmod(0o711)  # whatever the umask
    return place


def data_directory(wanted: Path) -> Path:
    """`wanted`, created and owned by the account; a link to a sheltered one where that is out of reach.

    Raises PrepareError, with nothing changed, where the data are somebody else's.
    """
    if account() is None:
        owners.require_own(wanted)
        wanted.mkdir(parents=True, exist_ok=True)
        wanted.chmod(0o700)
        return wanted
    owner = pwd.getpwnam(USER)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    owners.require_own(wanted, owner.pw_uid)
    if not others_may_enter(wanted.parent):
        sheltered = shelter(wanted) / "data"
        if not wanted.is_symlink():
            _make_way(wanted)
            wanted.symlink_to(sheltered)
        wanted = sheltered
        owners.require_own(wanted, owner.pw_uid)
    wanted.mkdir(exist_ok=True)
    wanted.chmod(0o700)
    hand_over(wanted)
    return wanted


def _make_way(wanted: Path) -> None:
    """Remove a directory that an earlier, failed start left empty."""
    if not wanted.is_dir():
        return
    try:
        wanted.rmdir()
    except OSError:
        raise PrepareError(
            f"{wanted} holds data, and {USER}, as whom PostgreSQL runs under root, cannot get there any more: open the "
            f"directories above it (chmod o+x), run as another user than root, or start with --fresh"
        ) from None


def hand_over(path: Path) -> None:
    """Give a file or directory to the account."""
    owner = pwd.getpwnam(USER)
    os.chown(path, owner.pw_uid, owner.pw_gid)


def programs(site: Path, parts: Sequence[str]) -> Path:
    """`site`, or a copy of its `parts` where the account cannot execute them there, or a shell could not name them.

    A copy is whole and readable whatever the umask was when it or the original was made, and follows the original.
    """
    present = [part for part in parts if (site / part).exists()]
    resolved = site.resolve()  # the way there may lead through a link in a closed directory
    nameable = (
        not set(str(resolved)) & _SPECIAL
    )  # initdb calls postgres by way of a shell, between double quotes
    reachable = account() is None or all(_others_may_run(resolved / part) for part in present)
    if nameable and reachable:
        return resolved
    place = shelter(site)
    copy = place / f"programs-{_edition(resolved, present)}"
    if not copy.exists():
        partial = Path(tempfile.mkdtemp(prefix="partial-", dir=place))
        for part in present:
            shutil.copytree(resolved / part, partial / part, symlinks=True)
        _open_up(partial)
        try:
            partial.rename(copy)
        except OSError:  # another one was faster
            shutil.rmtree(partial)
    return copy


_SPECIAL = frozenset('"$`\\\n')


def _others_may_run(tree: Path) -> bool:
    if not others_may_enter(tree):
        return False
    return all(
        path.is_symlink() or path.stat().st_mode & _needed(path) == _needed(path) for path in tree.rglob("*")
    )


def _needed(path: Path) -> int:
    if path.is_dir():
        return stat.S_IROTH | stat.S_IXOTH
    return stat.S_IROTH | (stat.S_IXOTH if path.stat().st_mode & stat.S_IXUSR else 0)


def _open_up(tree: Path) -> None:
    tree.chmod(0o755)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)


def _edition(site: Path, parts: Sequence[str]) -> str:
    """Differs where a file does: a copy of an earlier version is not taken for this one."""
    digest = hashlib.sha256()
    for part in parts:
        for path in sorted((site / part).rglob("*")):
            about = path.lstat()
            digest.update(f"{path.relative_to(site)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:12]


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
