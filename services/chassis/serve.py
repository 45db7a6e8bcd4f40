"""Runs a service: logs set up, one uvicorn worker on one port.

More capacity is more replicas, not more workers: each replica is then one process to start, watch and stop.
"""

from collections.abc import Callable
from typing import TypeVar

import uvicorn
from litestar import Litestar

from common import logs
from common.http_server.protocol import StrictProtocol
from common.telemetry import tracing
from services.chassis import settings

S = TypeVar("S", bound=settings.ServiceSettings)


def run(service: str, values: S, build: Callable[[S], Litestar]) -> None:
    """Serves until SIGTERM or SIGINT, then lets requests in flight finish."""
    logs.configure(service, values.log_level)
    tracing.configure(service, values.otlp_endpoint, values.trace_sample_ratio)
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
