"""Of several replicas behind one name, one takes connections and never answers."""

import asyncio

from common.address_health import FAILURES
from common.http_client import CallFailed, HttpClient
from tests.hung_replica import replicas
from tests.waiting import WITHIN


async def test_a_service_leaves_a_replica_that_hangs_out_after_a_few_calls() -> None:
    outcomes: list[int] = []
    async with replicas("127.0.0.4", "127.0.0.5") as both, asyncio.timeout(WITHIN):
        client = HttpClient(resolver=both.resolve)
        async with client.lifespan():
            while outcomes[-20:] != [204] * 20:
                try:
                    answer = await client.call("GET", f"http://member.test:{both.port}/", timeout=0.3)
                    outcomes.append(answer.status)
                except CallFailed:
                    outcomes.append(0)
    # A busy machine may hold a call up before it is at a replica, so that it is counted and not asked.
    assert 0 < both.asked.count(both.hung) <= FAILURES <= outcomes.count(0), outcomes
