"""A product's page through the front, from the cache: `make up && python -m bench.product_page [--seconds 20]`.

At the budget's rate, each request's time counted from when it was due, late senders included. The front asks the
gateway for the product, whose `Cache-Status` has to say that it answers from its cache; else nothing is measured.
"""

import argparse
import asyncio
import os
import sys
from urllib.parse import urlsplit

import aiohttp

from bench.figures import figure
from bench.stack_load import load, percentile, reading
from devstack.settings import read

PATH = "/products/haneul-running-shoes"
LANGUAGE = "en"
RATE = 300.0
BUDGET_P99_MS = 15.0


async def main(seconds: float) -> None:
    stack = read(os.environ)
    front = urlsplit(stack.url("FRONTEND_PORT"))
    address, request = (
        (front.hostname or "", front.port or 80),
        reading(front.netloc, PATH, Accept="text/html", **{"Accept-Language": LANGUAGE}),
    )
    await load(address, request, 400, RATE)
    if fault := not_kept(await _cache_status(stack.url("GATEWAY_PORT"), front.netloc)):
        sys.exit(fault)
    taken = await load(address, request, int(RATE * seconds), RATE)
    p99 = percentile(taken, 0.99)
    figure("product page at 300/s, p99 ms", p99, "clock", budget=BUDGET_P99_MS)
    print(f"GET {PATH} at {RATE:.0f}/s: p50 {percentile(taken, 0.5):.1f} ms, p99 {p99:.1f} ms")
    print(f"(budget {BUDGET_P99_MS:.0f})")


def not_kept(cache_status: str) -> str | None:
    """What is wrong where the gateway did not answer from its cache (RFC 9211)."""
    if "hit" in (part.strip() for part in cache_status.split(";")):
        return None
    return f"the gateway does not answer /api{PATH} from its cache (Cache-Status: {cache_status or 'none'})"


async def _cache_status(gateway: str, shop: str) -> str:
    """Of the answer that the front's pages are made of: the front says for which `shop` it asks."""
    forwarded = {"X-Forwarded-Host": shop, "X-Forwarded-Proto": "http"}
    async with (
        aiohttp.ClientSession(gateway, headers=forwarded) as session,
        session.get(f"/api{PATH}", params={"lang": LANGUAGE}) as answer,
    ):
        return answer.headers.get("Cache-Status", "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    asyncio.run(main(parser.parse_args().seconds))
