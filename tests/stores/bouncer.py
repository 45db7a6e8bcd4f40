"""A PgBouncer of one test's own in front of a PostgreSQL, where Debian's `pgbouncer` is installed."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack import throwaway
from devstack.postgres import SUPERUSER, Postgres

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def running(server: Postgres, mode: str, *settings: str) -> Iterator[int]:
    """Its port on 127.0.0.1. `mode` is session or transaction; two connections to the server for all clients."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    port = throwaway.free_port()
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with throwaway.temporary_directory() as directory:
        directory.chmod(0o755)
        (directory / "users").write_text(f'"{SUPERUSER}" "{server.password}"\n', encoding="utf-8")
        lines = [
            "[databases]",
            f"* = host=127.0.0.1 port={server.port}",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {port}",
            "unix_socket_dir =",
            "auth_type = scram-sha-256",
            f"auth_file = {directory / 'users'}",
            f"pool_mode = {mode}",
            f"default_pool_size = {2 if mode == 'transaction' else 20}",
            *settings,
        ]
        (directory / "pgbouncer.ini").write_text("\n".join(lines) + "\n", encoding="utf-8")
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAM, str(directory / "pgbouncer.ini")],
                stdout=log,
                stderr=log,
                user=account.pw_uid if os.geteuid() == 0 else None,
                cwd="/",
            )
        try:
            _await(port, process, directory / "log")
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None and time.monotonic() < give_up, log.read_text(errors="replace")
            time.sleep(0.02)
        else:
            return
