"""A server as it was at a moment: the base backup before it, and the archived WAL from there up to it."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

from devstack import unprivileged
from devstack.recovery.archive import Archive
from devstack.recovery.node import Node


def restored(
    archive: Archive, base: str, moment: datetime, directory: Path, port: int, password: str
) -> Node:
    """A new server that holds what was committed before `moment`. It writes to no archive and follows nobody.

    WAL up to `moment` has to be archived: Node.archive_now sees to it. Raises NotReadyError where it is not: PostgreSQL
    says "recovery ended before configured recovery target was reached" and ends.
    """
    node = Node("restored", directory, port, password, archive, options=_until(moment))
    source = (archive.directory / "base" / base).resolve()
    subprocess.run(
        ["cp", "-a", f"{source}/.", str(node.data)], check=True, cwd="/", user=unprivileged.account()
    )
    node.mark("recovery.signal")
    node.start()
    node.until_it_takes_writes()  # it takes connections before: a count then may be one of the middle
    return node


def _until(moment: datetime) -> tuple[str, ...]:
    return (
        f"recovery_target_time={moment.isoformat()}",
        "recovery_target_inclusive=off",
        "recovery_target_timeline=latest",  # over a promotion
        "recovery_target_action=promote",
        "archive_mode=off",
        "synchronous_standby_names=",
    )
