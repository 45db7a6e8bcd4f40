"""A product's page through the front, from the cache: `make up && python -m bench.product_page [--seconds 20]`.

At the budget's rate, each request's time counted from when it was due, late senders included.
"""

import argparse
import asyncio
import os
from urllib.parse import urlsplit

from bench.figures import figure
from bench.stack_load import load, percentile, reading
from devstack.settings import read

PATH = "/products/haneul-running-shoes"
RATE = 300.0
BUDGET_P99_MS = 15.0


async def main(seconds: float) -> None:
    front = urlsplit(read(os.environ).url("FRONTEND_PORT"))
    address, request = (
        (front.hostname or "", front.port or 80),
        reading(front.netloc, PATH, Accept="text/html"),
    )
    await load(address, request, 400, RATE)
    taken = await load(address, request, int(RATE * seconds), RATE)
    p99 = percentile(taken, 0.99)
    figure("product page at 300/s, p99 ms", p99, "clock", budget=BUDGET_P99_MS)
    print(f"GET {PATH} at {RATE:.0f}/s: p50 {percentile(taken, 0.5):.1f} ms, p99 {p99:.1f} ms")
    print(f"(budget {BUDGET_P99_MS:.0f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    asyncio.run(main(parser.parse_args().seconds))
