"""What a kept answer costs: `python -m bench.response_cache [REQUESTS]`.

CPU of gateway and plugin for an answer of the cache, beside one of Kong's own proxy-cache and one that goes upstream
without any plugin (whose upstream, a bare server here, is not counted), in turns in one run.
"""

import asyncio
import sys
from functools import partial

from bench.figures import figure
from bench.gateway_stage import reading, stage

ROUNDS = 3
BUDGET = 200.0
"""Microseconds of a hit, gateway and plugin."""
KINDS = {"response-cache": "/cached", "proxy-cache": "/proxy-cache", "no cache": "/plain"}


async def main(requests: int) -> None:
    async with stage() as gateway:
        for path in KINDS.values():
            await gateway.measure(max(64, requests // 10), partial(_same, reading(path)))
        costs: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(ROUNDS):
            for kind, path in KINDS.items():
                cost = await gateway.measure(requests, partial(_same, reading(path)), kind)
                costs[kind].append(cost.total)
                print(f"{kind}: {cost.gateway:.0f} + {cost.plugin:.0f} µs")
    hit, own, plain = (sorted(each)[ROUNDS // 2] for each in costs.values())
    figure("cache hit", hit, "cpu", budget=BUDGET)
    figure("cache hit against proxy-cache", hit / own, "ratio")
    print(
        f"a hit takes {hit:.0f} µs of CPU (budget {BUDGET:.0f}): {hit / own:.1f} times a hit of proxy-cache, "
    )
    print(f"and {hit / plain:.1f} times passing a request on, whose upstream's own work is saved")


def _same(request: bytes, _: int) -> bytes:
    return request


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000))
