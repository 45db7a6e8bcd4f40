"""A Redis of one test's own, to kill, start again and pause at one address."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack import throwaway
from devstack.redis import Redis


class OwnRedis:
    """Runs until it is killed; the password is `secret`."""

    def __init__(self, server: Redis) -> None:
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self.url = server.url()

    def start(self) -> None:
        """Returns when it answers."""
        self._server.prepare()
        self._process = self._server.command().start(subprocess.DEVNULL)
        while not self._server.ready():
            time.sleep(0.01)

    def lose_everything(self) -> None:
        """While it is down: its disk is empty."""
        for file in self._server.directory.glob("appendonly*"):
            file.unlink()

    def lose_the_end(self, size: int) -> None:
        """While it is down: what it wrote last was not on disk. `size`: what is left of its log, bytes."""
        os.truncate(self.log, size)

    @property
    def log(self) -> Path:
        return self._server.directory / "appendonly.aof"

    def kill(self) -> None:
        """As a crash would: it keeps nothing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Its connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@contextmanager
def running(*, keeps: bool = False) -> Iterator[OwnRedis]:
    """`keeps`: it has an append-only log, as one that is not for tests."""
    with throwaway.temporary_directory() as directory:
        redis = OwnRedis(Redis(directory / "redis", throwaway.free_port(), "secret", throwaway=not keeps))
        redis.start()
        try:
            yield redis
        finally:
            redis.kill()
