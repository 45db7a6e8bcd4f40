"""A worker as its supervisor sees it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Sequence
from enum import Enum


class State(Enum):
    LOADING = "loading"
    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"


class WorkerProcess:
    """The process, its control channel and what is known of it."""

    def __init__(self, command: Sequence[str], descriptors: Sequence[int], row: int) -> None:
        self.row = row
        self.state = State.LOADING
        self.born = time.monotonic()
        self.kill_at = float("inf")
        self.dump: bytes | None = None
        self.control, theirs = socket.socketpair()
        self._received = b""
        self._beats = 0
        self._silence = 0
        fds = [*descriptors, theirs.fileno()]
        inherited = ",".join(map(str, [*descriptors, row, theirs.fileno()]))
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - this very program
                [*command, "--inherited", inherited],
                pass_fds=[fd for fd in fds if fd >= 0],
                stdin=subprocess.DEVNULL,
            )

    def hear(self) -> bool:
        """Read what the worker says: its dump and a newline, later one byte when it serves. False: it is gone."""
        try:
            said = self.control.recv(65536, socket.MSG_DONTWAIT)
        except OSError:
            return False
        self._received += said
        if self.dump is None and b"\n" in self._received:
            self.dump, _, self._received = self._received.partition(b"\n")
        if self.state is State.STARTING and self._received:
            self.state = State.SERVING
        return bool(said)

    def serve(self) -> None:
        """Let it serve."""
        self.state = State.STARTING
        self.control.send(b"g")

    def stop(self, patience: float) -> None:
        """Let it drain; it is killed after `patience` seconds."""
        if self.state is not State.STOPPING:
            self.state = State.STOPPING
            self.kill_at = time.monotonic() + patience
            self.process.terminate()

    def kill(self) -> None:
        self.state = State.STOPPING
        self.process.kill()

    def stuck(self, beats: int, most: int) -> bool:
        """Called once a turn with the worker's count of turns: whether it has stood still for more than `most`.

        In turns and not by the clock, so that a machine or container that was paused is not taken for a stuck worker.
        """
        self._silence = 0 if beats != self._beats else self._silence + 1
        self._beats = beats
        return self.state is State.SERVING and self._silence > most

    def gone(self) -> bool:
        return self.process.poll() is not None
