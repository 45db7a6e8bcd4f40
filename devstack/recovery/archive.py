"""The archive of write-ahead log (WAL), and base backups: what a restore to a moment is made from.

PostgreSQL, chapter "Continuous Archiving and Point-in-Time Recovery": a segment is never written over, and counts as
archived once it is on the disk under its name.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from devstack import unprivileged

ARCHIVE_WITHIN = 60
"""Seconds after which a segment that is not full is archived: what is lost where the archive is all that is left."""

RETRY = "wal_retrieve_retry_interval=100ms"
"""In place of 5 s, which a promotion would wait for."""


@dataclass(frozen=True)
class Archive:
    """A directory that the servers' account can write to."""

    directory: Path

    def prepare(self) -> None:
        unprivileged.data_directory(self.directory).chmod(0o711)
        for name in ("wal", "base"):
            unprivileged.data_directory(self.directory / name)

    @property
    def wal(self) -> Path:
        return (self.directory / "wal").resolve()

    @property
    def writing(self) -> tuple[str, ...]:
        """Settings of a server that writes to it. The same segment twice is no fault, another one of its name is."""
        file = f"{_quoted(self.wal)}/%f"
        store = f"cp %p {file}.partial && sync {file}.partial && mv {file}.partial {file}"
        return (
            "archive_mode=on",
            f"archive_timeout={ARCHIVE_WITHIN}",
            f"archive_command=if [ -e {file} ]; then cmp -s %p {file}; else {store}; fi",
        )

    @property
    def reading(self) -> tuple[str, ...]:
        return (f"restore_command=cp {_quoted(self.wal)}/%f %p", RETRY)

    def holds(self, segment: str) -> bool:
        return (self.wal / segment).exists()


def _quoted(path: Path) -> str:
    """For the shell, behind PostgreSQL's own reading of %."""
    return shlex.quote(str(path).replace("%", "%%"))
