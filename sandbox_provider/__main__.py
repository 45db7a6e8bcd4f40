"""`python -m sandbox_provider`: serves the sandbox."""

import uvloop
from aiohttp import web

from sandbox_provider import settings
from sandbox_provider.app import build

if __name__ == "__main__":
    found = settings.read()
    web.run_app(
        build(found),
        host=found.host,
        port=found.port,
        print=None,
        access_log=None,
        shutdown_timeout=1,
        loop=uvloop.new_event_loop(),
    )
