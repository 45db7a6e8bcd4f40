"""Kept connections on which nothing has arrived since the last answer.

What an upstream says beyond its answer would be taken for the answer to the next request, of somebody else. aiohttp
looks for such words when a connection goes back to the pool, and not when it leaves it again.
"""

from typing import TYPE_CHECKING

import aiohttp
from aiohttp.connector import Connection

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.tracing import Trace


class CleanConnector(aiohttp.TCPConnector):
    """Closes an idle connection on which something came unasked, and takes another."""

    async def _get(self, key: "ConnectionKey", traces: list["Trace"]) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            if connection.protocol is not None and not connection.protocol.should_close:
                return connection
            connection.close()
        return None
