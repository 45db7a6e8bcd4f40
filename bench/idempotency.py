"""What a key adds to a request: `python -m bench.idempotency [REQUESTS]`.

First pass: reserved, sent upstream, its outcome kept. Replay: answered from Redis. Gateway, plugin and its Redis client
together, against a route without the plugin, in turns in one run; beside them Kong's own jwt (Lua, HS256).
"""

import asyncio
import sys

from bench.figures import figure
from bench.gateway_stage import compared, jwt_request, request, stage, verdict
from bench.turns import Requests, in_turns, same

BUDGETS = {"first pass": 450, "replay": 250}


async def main(requests: int) -> None:
    keyed = Requests(_keyed, "idempotency")
    # A turn's replays repeat the keys of its first passes.
    kinds = {"plain": same(request("/plain")), "first pass": keyed, "replay": keyed}
    async with stage() as gateway:
        if gateway.real:
            kinds["jwt"] = same(jwt_request())
        costs = await in_turns(gateway, kinds, requests)
    added = {kind: cost.total - costs["plain"].total for kind, cost in costs.items()}
    for kind, cost in costs.items():
        print(f"{kind}: {cost.gateway:.0f} + {cost.plugin:.0f} µs")
    for kind, budget in BUDGETS.items():
        figure(f"idempotency, {kind}", added[kind], "cpu", budget=budget)
        print(verdict(f"a {kind}", added[kind], budget))
    print(compared(added.get("jwt")))


def _keyed(turn: int, number: int) -> bytes:
    return request("/key", f"Idempotency-Key: {turn}-{number}", "X-User-Id: bench")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
