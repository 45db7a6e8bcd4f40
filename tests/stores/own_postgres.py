"""A PostgreSQL of a test's own, for what happens while it is away."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from devstack import throwaway, unprivileged
from devstack.postgres import Postgres


class OwnPostgres:
    """A PostgreSQL that a test may stop and start again with its data."""

    def __init__(self, server: Postgres, log: BinaryIO) -> None:
        self.server = server
        self._log = log
        self._command = server.command()
        self._process: subprocess.Popen[bytes] | None = None

    def logged(self) -> str:
        """What the server has written so far."""
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        if self._process is None:
            self._process = self._command.start(self._log)
        while not self.server.ready():
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(self._command.stop)
            self._process.wait(timeout=30)
            self._process = None


@contextmanager
def own_postgres(database: str) -> Iterator[OwnPostgres]:
    """A running server with that database in it."""
    with throwaway.temporary_directory() as directory:
        server = Postgres(
            directory / "postgres", throwaway.free_port(), "password-of-the-test", throwaway=True
        )
        try:
            server.prepare()
            with (directory / "log").open("wb") as log:
                own = OwnPostgres(server, log)
                own.start()
                server.ensure_database(database)
                yield own
                own.stop()
        finally:
            unprivileged.discard(server.directory)
