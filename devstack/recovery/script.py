"""deploy/postgres/standby.sh on a server of devstack: a standby takes over by the same steps as in a container."""

from __future__ import annotations

import os
import subprocess

from devstack import unprivileged
from devstack.declaration import ROOT
from devstack.environment import for_children
from devstack.errors import PrepareError
from devstack.postgres import SUPERUSER, Postgres, binaries

SCRIPT = ROOT / "deploy" / "postgres" / "standby.sh"


def run(server: Postgres, command: str, *arguments: str, **variables: str) -> str:
    """What it said. `variables` are the script's own: NAME and PEER, and of a rejoin PEER_PORT, ARCHIVE and PGPASSFILE,
    a file that it writes and the server reads. Raises PrepareError with all that it said.
    """
    done = subprocess.run(
        # As a text: the account that owns the data may not be able to enter the checkout.
        ["sh", "-c", SCRIPT.read_text(encoding="utf-8"), SCRIPT.name, command, *arguments],
        env={
            **for_children(os.environ),
            "PATH": f"{binaries()}:{os.environ.get('PATH', os.defpath)}",
            "PGDATA": str(unprivileged.data_directory(server.directory)),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PEER_HOST": "127.0.0.1",
            "POSTGRES_USER": SUPERUSER,
            "POSTGRES_PASSWORD": server.password,
            "PGPASSWORD": server.password,
            **variables,
        },
        cwd="/",
        user=unprivileged.account(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PrepareError(f"standby.sh {command} failed: {done.stdout.strip()}")
    return done.stdout
