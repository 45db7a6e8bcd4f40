"""Of several replicas behind one name, one takes connections and never answers."""

import asyncio
from collections.abc import Awaitable, Callable

from multidict import CIMultiDict

from common.address_health import FAILURES
from frontend_proxy.metrics import Metrics
from frontend_proxy.problems import Problem
from frontend_proxy.settings import Settings
from frontend_proxy.upstream import Pool, Upstream
from tests.waiting import WITHIN

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HUNG, WELL = "127.0.0.2", "127.0.0.3"


async def two_addresses(host: str, port: int) -> list[str]:
    """DNS that names the hung replica first, as it may be for each new connection."""
    return [HUNG, WELL]


async def test_a_replica_that_hangs_is_left_out_after_a_few_timeouts() -> None:
    asked: list[str] = []

    def replica(address: str, *, answers: bool) -> Connected:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.append(address)
            if answers:
                writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            else:
                await reader.read()
            writer.close()

        return serve

    hung = await asyncio.start_server(replica(HUNG, answers=False), HUNG, 0)
    port = hung.sockets[0].getsockname()[1]
    well = await asyncio.start_server(replica(WELL, answers=True), WELL, port)
    settings = Settings(auth_url=f"http://auth.test:{port}", gateway_url="http://a", upstream_timeout=0.3)
    statuses: list[int] = []
    async with hung, well, Pool(settings, Metrics(), two_addresses) as pool, asyncio.timeout(WITHIN):
        upstream = Upstream("auth service", settings.auth_url, pool)
        while statuses[-20:] != [204] * 20:
            try:
                response = await upstream.send("GET", "/", CIMultiDict())
                statuses.append(response.status)
                response.close()
            except Problem as problem:
                statuses.append(problem.status)
    # A busy machine may hold a call up before it is at a replica, so that it is counted and not asked.
    assert 0 < asked.count(HUNG) <= FAILURES <= statuses.count(504), statuses
