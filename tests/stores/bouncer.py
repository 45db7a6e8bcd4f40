"""A PgBouncer of one test's own in front of a PostgreSQL, where Debian's `pgbouncer` is installed."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from devstack import throwaway
from devstack.postgres import SUPERUSER, Postgres
from tests.private_authority import Authority

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


KINDS = ("session", "transaction", "tls")
"""PgBouncer's two modes; and TLS, which the PostgreSQL of the wheel is built without, so that PgBouncer ends it."""


@contextmanager
def in_front(server: Postgres, kind: str) -> Iterator[Callable[[str], str]]:
    """Makes addresses of the server into those of a PgBouncer of this kind; `straight` leaves them as they are."""
    if kind == "straight":
        yield lambda url: url
        return
    with ExitStack() as stack:
        settings: list[str] = []
        authority: Authority | None = None
        if kind == "tls":
            authority = Authority(stack.enter_context(throwaway.temporary_directory()))
            authority.readable()
            settings = [
                "client_tls_sslmode = require",
                f"client_tls_cert_file = {authority.certificate}",
                f"client_tls_key_file = {authority.key}",
            ]
        mode = "session" if kind == "tls" else kind
        # A suite has many databases one after the other, and some of its tests hold several connections at once.
        settings += ["max_client_conn = 1000", "default_pool_size = 20", "server_idle_timeout = 1"]
        port = stack.enter_context(running(server, mode, *settings))
        yield lambda url: _through(url, server.port, port, authority)


def _through(url: str, server: int, port: int, authority: Authority | None) -> str:
    moved = url.replace(f":{server}/", f":{port}/")
    return moved if authority is None else f"{moved}?sslmode=verify-full&sslrootcert={authority.file}"


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
            *(
                settings
                if any("default_pool_size" in line for line in settings)
                else [f"default_pool_size = {2 if mode == 'transaction' else 20}", *settings]
            ),
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
