"""python -m frontend_proxy"""

import os
import sys

from common import blocked_imports  # isort: skip  # noqa: F401  # before whatever imports Litestar

from common import logs
from common.settings import SettingsError
from common.telemetry import tracing
from frontend_proxy.app import create_app
from frontend_proxy.metrics import Metrics
from frontend_proxy.server import server
from frontend_proxy.settings import read


def main() -> int:
    """Serves until SIGTERM or SIGINT. 2 for a wrong environment, a taken metrics port included."""
    try:
        settings = read(os.environ)
    except SettingsError as fault:
        print(f"frontend_proxy: {fault}", file=sys.stderr)
        return 2
    logs.configure("frontend_proxy", settings.log_level)
    tracing.configure("frontend_proxy", settings.otlp_endpoint, settings.trace_sample_ratio)
    metrics = Metrics()
    running = server(create_app(settings, metrics), settings, metrics)
    try:
        with metrics.shown(settings.metrics_host, settings.metrics_port):
            running.run()
    except OSError as fault:
        print(f"frontend_proxy: FRONTEND_METRICS_PORT cannot be listened on: {fault}", file=sys.stderr)
        return 2
    return 0 if running.started else 1


if __name__ == "__main__":
    sys.exit(main())
