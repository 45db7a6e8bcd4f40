"""What a kept answer costs: `python -m bench.response_cache [REQUESTS]`.

CPU of gateway and plugin for an answer of the cache, beside one of Kong's own proxy-cache and one that goes upstream
without any plugin (whose upstream, a bare server here, is not counted), in turns in one run.
"""

import asyncio
import sys

from bench.figures import figure
from bench.gateway_stage import reading, stage
from bench.turns import in_turns, same

BUDGET = 200.0
"""Microseconds of a hit, gateway and plugin."""


async def main(requests: int) -> None:
    kinds = {
        "response-cache": same(reading("/cached"), "response-cache"),
        "no cache": same(reading("/plain")),
    }
    async with stage() as gateway:
        if gateway.real:
            kinds["proxy-cache"] = same(reading("/proxy-cache"))
        costs = await in_turns(gateway, kinds, requests)
    for kind, cost in costs.items():
        print(f"{kind}: {cost.gateway:.0f} + {cost.plugin:.0f} µs")
    hit, plain = costs["response-cache"].total, costs["no cache"].total
    figure("cache hit", hit, "cpu", budget=BUDGET)
    print(f"a hit takes {hit:.0f} µs of CPU (budget {BUDGET:.0f}):")
    if "proxy-cache" in costs:
        own = costs["proxy-cache"].total
        figure("cache hit against proxy-cache", hit / own, "ratio")
        print(f"{hit / own:.1f} times a hit of proxy-cache,")
    print(f"{hit / plain:.1f} times passing a request on, whose upstream's own work is saved")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
