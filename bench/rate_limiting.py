"""What Kong's own rate-limiting adds to a request: `python -m bench.rate_limiting [REQUESTS]`.

Of one client after the other, where each request finds Kong's timers at rest, and of sixteen at once. A route without
it is measured in turns in the same run.
"""

import asyncio
import sys
from collections.abc import Callable

from bench.figures import figure
from bench.gateway_stage import CONNECTIONS, reading, stage

ROUNDS = 3


async def main(requests: int) -> None:
    plain, limited = _asking("/plain"), _asking("/limited")
    async with stage() as gateway:
        for make in (plain, limited):
            await gateway.measure(max(64, requests // 4), make)
        for connections in (1, CONNECTIONS):
            added = []
            for _ in range(ROUNDS):
                without = await gateway.measure(requests, plain, connections=connections)
                with_it = await gateway.measure(requests, limited, connections=connections)
                added.append(with_it.gateway - without.gateway)
                print(
                    f"{connections} at once: {without.gateway:.0f} without, {with_it.gateway:.0f} µs with it"
                )
            cost = sorted(added)[ROUNDS // 2]
            figure(f"rate-limiting, {connections} at once", cost, "cpu")
            print(f"rate-limiting adds {cost:.0f} µs of CPU, {connections} at once")


def _asking(path: str) -> Callable[[int], bytes]:
    request = reading(path)
    return lambda _: request


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
