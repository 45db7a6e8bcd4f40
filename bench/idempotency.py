"""What a key adds to a request: `python -m bench.idempotency [REQUESTS]`.

First pass: reserved, sent upstream, its outcome kept. Replay: answered from Redis. Budgets, gateway, plugin and its
Redis client together, against a route without the plugin in the same run: 1.5 and 2.5 times what a public Lua plugin
added, without fingerprint, scope or second layer, where the budgets were set (564 and 175 µs).
"""

import asyncio
import sys

from bench.figures import figure
from bench.gateway_stage import compared, request, stage, verdict

BUDGETS = {"first pass": 564 * 1.5, "replay": 175 * 2.5}


async def main(requests: int) -> None:
    async with stage() as gateway:
        for name in ("warm-up", "measured"):
            plain = await gateway.measure(requests, lambda _: request("/plain"))

            def keyed(number: int, name: str = name) -> bytes:
                return request("/key", f"Idempotency-Key: {name}-{number}", "X-User-Id: bench")

            costs = {kind: await gateway.measure(requests, keyed, "idempotency") for kind in BUDGETS}
            for kind, cost in costs.items():
                print(f"{name}: plain {plain.gateway:.0f}, {kind} {cost.gateway:.0f} + {cost.plugin:.0f} µs")
        reference = await gateway.reference(requests, plain)
    for kind, cost in costs.items():
        figure(f"idempotency, {kind}", cost.total - plain.total, "cpu", budget=BUDGETS[kind])
        print(verdict(f"a {kind}", cost.total - plain.total, BUDGETS[kind]))
    print(compared(reference))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000))
