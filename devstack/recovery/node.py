"""One PostgreSQL of a replicated pair: made as the first, or copied from another; killed, fenced, promoted, rejoined.

Promotion and rejoin are those of containers (script.py). Whether it is the primary says its data directory: with
`standby.signal` in it, a server follows and takes no writes, whoever starts it. That is the fence, too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from devstack import unprivileged
from devstack.errors import NotReadyError, PrepareError
from devstack.postgres import SUPERUSER, Postgres
from devstack.recovery import script
from devstack.recovery.archive import Archive

READY_WITHIN = 60.0
"""Seconds until a server takes connections, and until a standby follows."""
REPLICATION = (
    "wal_log_hints=on",  # pg_rewind needs it
    "max_slot_wal_keep_size=1GB",  # a standby that is gone must not fill the primary's disk
    "wal_receiver_timeout=10s",
    "wal_sender_timeout=10s",
)


class Node:
    """A server, its directory and its process. `name` is what its peer knows it by, a plain identifier."""

    def __init__(
        self,
        name: str,
        directory: Path,
        port: int,
        password: str,
        archive: Archive,
        options: tuple[str, ...] | None = None,
    ) -> None:
        """`options` in place of those of a server that has a standby and writes to the archive."""
        self.name = name
        self.archive = archive
        self._log = directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        own = (*REPLICATION, *archive.writing) if options is None else options
        settings = (*own, *archive.reading, f"cluster_name={name}")
        self.server = Postgres(directory / name, port, password, options=settings)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    @property
    def data(self) -> Path:
        return unprivileged.data_directory(self.server.directory)

    # ----- Its process

    def start(self) -> None:
        """Returns once it takes connections. Raises NotReadyError with its last words."""
        self.begin()
        self._until(self.server.ready, "did not start")

    def begin(self) -> None:
        with self._log.open("ab") as log:
            self._process = self.server.command().start(log)

    def kill(self) -> None:
        """SIGKILL to all of it, as if its machine was gone."""
        if self._process is not None:
            group = self._process.pid
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            self._process.wait()
            self._process = None
            give_up = time.monotonic() + READY_WITHIN
            while _lives(group):  # the last of its processes has the data until then
                if time.monotonic() > give_up:
                    raise NotReadyError(f"{self.name} was killed and did not end")
                time.sleep(0.01)

    def stop(self) -> None:
        """A clean end."""
        if self._process is not None:
            self._process.send_signal(self.server.command().stop)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    # ----- Its role

    def copy(self, primary: Node) -> None:
        """A standby of `primary`, with a replication slot there, so that no segment goes before it was sent."""
        slot = ("--create-slot", "--slot", self.name)
        self.run(
            "pg_basebackup",
            "-d",
            primary.conninfo,
            "-D",
            str(self.data),
            *slot,
            *_BASE,
            "--write-recovery-conf",
        )

    def follows(self, primary: Node) -> bool:
        """Whether it streams from `primary` at this moment."""
        state = f"SELECT state FROM pg_stat_replication WHERE application_name = '{self.name}'"  # noqa: S608 - plain
        return primary.ask(state) == "streaming"

    def until_it_follows(self, primary: Node) -> None:
        self._until(lambda: self.follows(primary), f"did not follow {primary.name}")

    def wait_for(self, standby: Node | None) -> None:
        """Each commit waits until `standby` has it on its disk: none without it. None: for nobody."""
        names = f'"{standby.name}"' if standby else ""
        self.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.ask("SELECT pg_reload_conf()")

    def fence(self) -> None:
        """What is started on these data from here on takes no writes, and takes over from nobody."""
        if self._process is not None:
            raise PrepareError(f"{self.name} runs: a fence is for one that is down")
        self.mark("standby.signal")
        self.mark("fenced")

    def mark(self, name: str) -> None:
        """An empty file in its directory, by which PostgreSQL and standby.sh know what it is at the next start."""
        file = self.data / name
        file.touch()
        if unprivileged.account() is not None:
            unprivileged.hand_over(file)

    def promote(self, former: Node) -> None:
        """Takes writes when it returns, and waits for no standby with them."""
        self._script("promote", former)

    def rejoin(self, primary: Node) -> str:
        """A fenced former primary that is down, killed or not, follows `primary`: rewound, or copied anew where that
        cannot be. What was said of it.
        """
        said = self._script("rejoin", primary)
        try:
            self._follow(primary)
        except NotReadyError as refusal:
            self.kill()
            said += f"{refusal}\n{self._script('copy', primary)}"
            self._follow(primary)
        return said

    def _follow(self, primary: Node) -> None:
        self.start()
        self.until_it_follows(primary)

    def _script(self, command: str, peer: Node) -> str:
        return script.run(
            self.server,
            command,
            NAME=self.name,
            PEER=peer.name,
            PEER_PORT=str(peer.server.port),
            ARCHIVE=str(self.archive.directory.resolve()),
            PGPASSFILE=str(self.archive.directory.resolve() / f"{self.name}.pgpass"),
        )

    def until_it_takes_writes(self) -> None:
        self._until(lambda: not self.recovering(), "did not end its recovery")

    def recovering(self) -> bool:
        """Whether it is a standby, or replays what it has to: it takes no writes."""
        return self.ask("SELECT pg_is_in_recovery()") == "t"

    # ----- What is asked of it

    @property
    def conninfo(self) -> str:
        """Without the password, which is the same on both."""
        return f"host=127.0.0.1 port={self.server.port} user={SUPERUSER} dbname={SUPERUSER}"

    def ask(self, statement: str, database: str = SUPERUSER) -> str:
        """Its answer as text. Raises PrepareError."""
        return self.server.ask(database, statement).strip()

    def base_backup(self, name: str) -> Path:
        """A copy of the running server, checked (pg_verifybackup), from which a restore to any later moment begins."""
        target = unprivileged.data_directory(self.archive.directory / "base" / name)
        self.run("pg_basebackup", "-d", self.conninfo, "-D", str(target), *_BASE)
        self.run("pg_verifybackup", "--quiet", str(target))
        return target

    def archive_now(self) -> None:
        """Returns once all that was committed so far is in the archive."""
        segment = self.ask("SELECT pg_walfile_name(pg_current_wal_lsn())")
        self.ask("SELECT pg_switch_wal()")
        self._until(lambda: self.archive.holds(segment), f"did not archive {segment}")

    def discard(self) -> None:
        self.kill()
        unprivileged.discard(self.server.directory)

    def run(self, program: str, *arguments: str) -> None:
        self.server.run(program, *arguments)

    def _until(self, so: Callable[[], bool], otherwise: str) -> None:
        give_up = time.monotonic() + READY_WITHIN
        while not so():
            if time.monotonic() > give_up or (self._process is not None and self._process.poll() is not None):
                said = self._log.read_text(errors="replace").splitlines()[-20:]
                raise NotReadyError("\n".join([f"{self.name} {otherwise}:", *said]))
            time.sleep(0.02)


def _lives(group: int) -> bool:
    """Whether a process of the group runs. One that nobody has asked for its status is over."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


_BASE = ("--checkpoint", "fast", "--wal-method", "stream")
