"""python -m frontend_proxy"""

import os
import sys

import frontend_proxy.lean  # noqa: F401 - before whatever imports Litestar
from frontend_proxy import logs
from frontend_proxy.app import create_app
from frontend_proxy.server import server
from frontend_proxy.settings import SettingsError, read


def main() -> int:
    """Serves until SIGTERM or SIGINT. 2 for a wrong environment."""
    try:
        settings = read(os.environ)
    except SettingsError as fault:
        print(f"frontend_proxy: {fault}", file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    running = server(create_app(settings), settings)
    running.run()
    return 0 if running.started else 1


if __name__ == "__main__":
    sys.exit(main())
