"""Servers for the length of a test run: started on a free port in a temporary directory, gone afterwards."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from devstack import unprivileged
from devstack.errors import NotReadyError
from devstack.postgres import Postgres
from devstack.redis import Redis

START_DEADLINE = 30.0
_LOWEST, _ABOVE = 20_000, 32_768


def free_port() -> int:
    """A TCP port on loopback that nothing listens on just now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many different ones, below those that the system gives to connections: it might take one meanwhile."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = _LOWEST + secrets.randbelow(_ABOVE - _LOWEST)
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # somebody's
            found.append(port)
    return found


@contextmanager
def kept_ports(count: int) -> Iterator[list[int]]:
    """Ports that `free_ports` gives to nobody else until the end, whoever listens on them now and then: a server that
    sets SO_REUSEADDR, as servers do, may take one that is only bound."""
    with ExitStack() as held:
        ports = free_ports(count)
        for port in ports:
            keeper = held.enter_context(socket.socket())
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            keeper.bind(("127.0.0.1", port))
        yield ports


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """Short, and enterable by PostgreSQL's account: pytest's own temporary directories are neither."""
    directory = Path(tempfile.mkdtemp(prefix="gh-"))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def redis() -> Iterator[Redis]:
    """A running Redis that keeps nothing."""
    with temporary_directory() as directory:
        server = Redis(directory / "redis", free_port(), secrets.token_hex(16), throwaway=True)
        with running(server, directory / "log"):
            yield server


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL without any database of ours."""
    with temporary_directory() as directory:
        server = Postgres(directory / "postgres", free_port(), secrets.token_hex(16), throwaway=True)
        try:
            with running(server, directory / "log"):
                yield server
        finally:
            unprivileged.discard(server.directory)


@contextmanager
def running(server: Postgres | Redis, log: Path) -> Iterator[None]:
    """The server while the context lasts, its output in `log`."""
    server.prepare()
    command = server.command()
    with log.open("wb") as output:
        process = command.start(output)
    try:
        _await_ready(server, process, log)
        yield
    finally:
        process.send_signal(command.stop)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _await_ready(server: Postgres | Redis, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_DEADLINE
    while not server.ready():
        if process.poll() is not None or time.monotonic() > give_up:
            raise NotReadyError(f"{type(server).__name__} did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)
