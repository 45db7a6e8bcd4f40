"""How long after a change the gateway still shows what was.

`make up && python -m bench.cache_propagation [CHANGES [READS]]`: a product's price changes again and again while READS
requests a second (300; 0: as many as four readers can) ask for its page through :8000. Printed: the time from the
change's acknowledgement to the first answer with the new price, and how many answers were old after a new one.
"""

import argparse
import asyncio
import os
import sys
import time
import uuid
from contextlib import suppress
from typing import Any

import aiohttp

from bench.figures import figure
from devstack.settings import read

READERS = 4
READS_A_SECOND = 300.0
BUDGET_MS = 20.0
"""p99, on a machine that does nothing else."""


class Page:
    """What readers saw: the newest price, when it was first there, and answers that were older than it."""

    def __init__(self) -> None:
        self.price = 0
        self.at = 0.0
        self.older = 0
        self.reads = 0

    def saw(self, price: int, asked: int, now: float) -> None:
        self.reads += 1
        self.older += price < asked
        if price > self.price:
            self.price, self.at = price, now


async def main(changes: int, reads: float) -> int:
    gateway = read(os.environ).url("GATEWAY_PORT")
    async with aiohttp.ClientSession(gateway) as client:
        product, slug, bearer = await _product(client, read(os.environ).url("AUTH_PORT"))
        page = Page()
        between = 1 / reads if reads else 0.0
        readers = [
            asyncio.ensure_future(_read(client, slug, page, number * between, READERS * between))
            for number in range(READERS)
        ]
        took = []
        for price in range(10_001, 10_001 + changes):
            acknowledged = await _change(client, product, slug, price, bearer)
            while page.price < price:
                await asyncio.sleep(0.0005)
            took.append(max(0.0, page.at - acknowledged) * 1000)
        for reader in readers:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader
    took.sort()
    figure("cache, change seen, p99 ms", took[int(len(took) * 0.99)], "clock", budget=BUDGET_MS)
    figure("cache, old answers after a new one", page.older, "clock", budget=0)
    print(f"{changes} changes, {page.reads} reads meanwhile; an old price after a new one: {page.older}")
    print(
        f"new price seen after p50 {took[len(took) // 2]:.1f} ms, p99 {took[int(len(took) * 0.99)]:.1f} ms ",
        end="",
    )
    print(f"(budget {BUDGET_MS:.0f}), at most {took[-1]:.1f} ms")
    return 1 if page.older else 0


async def _product(client: aiohttp.ClientSession, auth: str) -> tuple[str, str, dict[str, str]]:
    credentials = {"email": "test@example.com", "password": "password123"}
    async with client.post(f"{auth}/api/auth/login", json=credentials) as answer:
        bearer = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
    async with client.get("/api/categories") as answer:
        category = (await answer.json())["items"][0]["id"]
    slug = f"bench-{uuid.uuid4().hex[:12]}"
    body = {
        "category": category,
        "slug": slug,
        "status": "active",
        "texts": {"ko": {"name": slug}},
        "variants": [{"sku": slug, "price": 10_000}],
    }
    headers = bearer | {"Idempotency-Key": str(uuid.uuid4())}
    async with client.post("/api/products", json=body, headers=headers) as answer:
        answer.raise_for_status()
        return (await answer.json())["id"], slug, bearer


async def _change(
    client: aiohttp.ClientSession, product: str, slug: str, price: int, bearer: dict[str, str]
) -> float:
    headers: dict[str, Any] = {
        **bearer,
        "If-Match": "*",
        "Idempotency-Key": str(uuid.uuid4()),
        "Content-Type": "application/merge-patch+json",
    }
    change = f'{{"variants": [{{"sku": "{slug}", "price": {price}}}]}}'
    async with client.patch(f"/api/products/{product}", data=change.encode(), headers=headers) as answer:
        answer.raise_for_status()
    return time.perf_counter()


async def _read(client: aiohttp.ClientSession, slug: str, page: Page, first: float, every: float) -> None:
    """Asks each `every` seconds, from in `first` seconds on, and at once where the last answer took longer."""
    due = time.perf_counter() + first
    while True:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        due = max(due + every, time.perf_counter())
        asked = page.price
        async with client.get(f"/api/products/{slug}") as answer:
            price = (await answer.json())["price"]
        # It may be older than one that arrived meanwhile, not than what was known when it was asked for.
        page.saw(price, asked, time.perf_counter())


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("changes", type=int, nargs="?", default=1000)
    asked.add_argument("reads", type=float, nargs="?", default=READS_A_SECOND)
    sys.exit(asyncio.run(main(**vars(asked.parse_args()))))
