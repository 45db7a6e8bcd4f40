"""`python -m devstack.gateway`: started by kong/entrypoint.sh in Kong's place, with Kong's environment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from devstack.gateway import declarative
from devstack.gateway.app import serve
from devstack.gateway.entities import ConfigError


async def main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(os.environ, stop)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except ConfigError as error:
        file = os.environ.get("KONG_DECLARATIVE_CONFIG")
        reason = f"error parsing declarative config file {file}:\n{declarative.told(error)}"
        print(f"stand-in for Kong: {reason}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"stand-in for Kong: {error}", file=sys.stderr)
        sys.exit(1)
