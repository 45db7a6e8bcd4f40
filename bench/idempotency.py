"""What a key adds to a request: `python -m bench.idempotency [REQUESTS]`.

First pass: reserved, sent upstream, its outcome kept. Replay: answered from Redis. Budgets, gateway, plugin and its
Redis client together, against a route without the plugin in the same run: 1200 and 700 µs.
"""

import asyncio
import sys

from bench.gateway_stage import request, stage

BUDGETS = {"first pass": 1200, "replay": 700}


async def main(requests: int) -> None:
    async with stage() as gateway:
        for name in ("warm-up", "measured"):
            plain = await gateway.measure(requests, lambda _: request("/plain"))

            def keyed(number: int, name: str = name) -> bytes:
                return request("/key", f"Idempotency-Key: {name}-{number}")

            costs = {kind: await gateway.measure(requests, keyed, "idempotency") for kind in BUDGETS}
            for kind, cost in costs.items():
                print(
                    f"{name}: plain {plain.gateway:.0f}, {kind} {cost.gateway:.0f} + {cost.plugin:.0f} µs",
                    cost.statuses,
                )
    for kind, cost in costs.items():
        print(f"a {kind} adds {cost.total - plain.gateway:.0f} µs of CPU (budget {BUDGETS[kind]})")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000))
