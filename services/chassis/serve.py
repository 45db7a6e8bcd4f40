"""Runs a service: settings from the environment, logs set up, one uvicorn worker on one port.

More capacity is more replicas, not more workers: each replica is then one process to start, watch and stop.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import uvicorn
from litestar import Litestar

from common import logs
from common.http_server.protocol import StrictProtocol
from services.chassis import settings

S = TypeVar("S", bound=settings.ServiceSettings)

CONFIGURATION_ERROR = 2


def serve(
    service: str,
    kind: type[S],
    build: Callable[[S], Litestar],
    commands: Mapping[str, Callable[[S, Sequence[str]], int]] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then lets requests in flight finish. Exits with 2 on a wrong environment.

    `commands` are run in place of serving where the first argument names one; each returns its exit status.
    """
    try:
        values = settings.read(kind, os.environ)
    except settings.SettingsError as fault:
        sys.exit(_refuse(service, fault))
    if sys.argv[1:]:
        command = (commands or {}).get(sys.argv[1])
        if command is None:
            sys.exit(_refuse(service, f"there is no command {sys.argv[1]}"))
        sys.exit(command(values, sys.argv[2:]))
    run(service, values, build)


def run(service: str, values: S, build: Callable[[S], Litestar]) -> None:
    """Serves until SIGTERM or SIGINT, then lets requests in flight finish."""
    logs.configure(service, values.log_level)
    uvicorn.run(
        build(values),
        host=values.host,
        port=values.port,
        loop="uvloop",
        http=StrictProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        backlog=1024,
    )


def _refuse(service: str, fault: object) -> int:
    sys.stderr.write(f"{service} cannot start: {fault}\n")
    return CONFIGURATION_ERROR
