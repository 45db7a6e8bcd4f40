"""A command to supervise: what to run, as whom, and how it is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from devstack import environment

LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True)
class Command:
    """`stop` is the signal for a clean end; `user` is a system user to run as, which needs root.

    `env` is all that it gets beside what every child gets (environment.py).
    """

    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    user: str | None = None
    stop: signal.Signals = signal.SIGTERM

    def leashed(self) -> list[str]:
        """The argument vector that also ties the process to this one (see leash.py)."""
        vector = [
            sys.executable,
            "-I",
            "-S",
            str(LEASH),
            "--parent",
            str(os.getpid()),
            "--signal",
            self.stop.name,
        ]
        if self.user is not None:
            vector += ["--user", self.user]
        return [*vector, "--", *self.argv]

    def environment(self) -> dict[str, str]:
        return {**environment.for_children(os.environ), **self.env}

    def start(self, output: IO[bytes] | int | None = None) -> subprocess.Popen[bytes]:
        """Start it in a process group of its own, both output streams into `output`."""
        return subprocess.Popen(
            self.leashed(),
            env=self.environment(),
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
