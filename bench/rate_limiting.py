"""What Kong's own rate-limiting adds to a request: `python -m bench.rate_limiting [REQUESTS]`.

Of one client after the other, where each request finds Kong's timers at rest, and of sixteen at once. A route without
it is measured in turns in the same run.
"""

import asyncio
import sys

from bench.figures import figure
from bench.gateway_stage import CONNECTIONS, reading, stage
from bench.turns import in_turns, same


async def main(requests: int) -> None:
    kinds = {"without": same(reading("/plain")), "with it": same(reading("/limited"))}
    async with stage() as gateway:
        for connections in (1, CONNECTIONS):
            costs = await in_turns(gateway, kinds, requests, connections)
            without, with_it = costs["without"].gateway, costs["with it"].gateway
            figure(f"rate-limiting, {connections} at once", with_it - without, "cpu")
            print(f"{connections} at once: {without:.0f} µs without, {with_it:.0f} with it")
            print(f"rate-limiting adds {with_it - without:.0f} µs of CPU, {connections} at once")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
