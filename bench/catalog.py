"""What the catalog costs among 50,000 products: `make up && make seed-load PRODUCTS=50000 && python -m bench.catalog`.

On a running stack, the kinds in turns over eight connections, so that whatever else the machine does falls on all of
them: CPU a request, the gateway, the service and the database together, and p95. Reads go through :8000 without a
token, orders' calls straight to the service. Ratios are to a product's page in the same run. [ROUNDS], 20 unless told.
"""

import asyncio
import itertools
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from bench.figures import figure
from bench.stack_load import cpu_seconds, processes
from devstack.secret_store import load_or_create
from devstack.settings import Settings, read

BATCH = 50
AT_ONCE = 8
BASE = "product page"
BUDGETS = {"list of 20": 1.5}
"""CPU a request in milliseconds, at most."""

Call = Callable[[], tuple[str, str, Any]]
"""Method, URL and body of the next request."""


@dataclass(slots=True)
class Spent:
    requests: int = 0
    cpu: dict[str, float] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)


async def main(rounds: int) -> None:
    stack = read(os.environ)
    key = os.environ.get("INTERNAL_API_KEY") or load_or_create(stack.secrets_file)["internal_api_key"]
    headers = {"X-Internal-Key": key}
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as client:
        calls = await _calls(client, stack)
        spent = {kind: Spent() for kind in calls}
        for call in calls.values():
            await _batch(client, call, {}, Spent())  # the database has a process for each connection by now
        parts = processes(stack)
        for _ in range(rounds):
            for kind, call in calls.items():
                await _batch(client, call, parts, spent[kind])
    print("| call | CPU, ms | of it gateway | service | database | p50, ms | p95, ms | CPU against a page |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    base = sum(spent[BASE].cpu.values()) / spent[BASE].requests
    for kind, one in spent.items():
        cost = sum(one.cpu.values()) / one.requests * 1e6
        budget = BUDGETS[kind] * 1000 if kind in BUDGETS else None
        figure(f"catalog, {kind}", cost, "cpu", budget=budget)
        print(_line(kind, one, base))


async def _calls(client: aiohttp.ClientSession, stack: Settings) -> Mapping[str, Call]:
    gateway, service = stack.url("GATEWAY_PORT"), stack.url("CATALOG_PORT")
    async with client.post(f"{service}/internal/quotes", json=_quote([("LOAD-040001-S", 1)])) as answer:
        quoted = await answer.json()
    if not quoted["lines"]:
        sys.exit("too few products: make seed-load PRODUCTS=50000 first")
    variants = [f"LOAD-{number:06d}-S" for number in range(1, 400) if number % 9 and number % 50]
    async with client.post(
        f"{service}/internal/quotes", json=_quote([(sku, 1) for sku in variants[:90]])
    ) as answer:
        ids = [line["variant_id"] for line in (await answer.json())["lines"]]
    slugs, skus, held = (itertools.cycle(range(1, 40_000)), itertools.cycle(variants), itertools.cycle(ids))
    first = f"{gateway}/api/products"

    def get(path: str) -> Call:
        return lambda: ("GET", first + path, None)

    def page() -> tuple[str, str, Any]:
        number = next(slugs)
        return "GET", f"{first}/load-{number if number % 50 else number + 1}", None

    def three(cycle: "itertools.cycle[str]") -> list[tuple[str, int]]:
        return [(next(cycle), 1) for _ in range(3)]

    def reserve() -> tuple[str, str, Any]:
        lines = [{"variant_id": id_, "quantity": 1} for id_, _ in three(held)]
        return "PUT", f"{service}/internal/reservations/{uuid4()}", {"goal": "held", "lines": lines}

    return {
        BASE: page,
        "list of 20": get(""),
        "list of 20, by price in a category": get("?category=load-category-2&sort=price"),
        "search, rare": get("?q=%EA%B0%BA"),
        "search, two syllables": get("?q=%EC%9A%B4%EB%8F%99"),
        "search, frequent": get("?q=%EC%9A%B4%EB%8F%99%ED%99%94"),
        "suggestions": get("/suggestions?q=%EC%9A%B4%EB%8F%99"),
        "quote of 3": lambda: ("POST", f"{service}/internal/quotes", _quote(three(skus))),
        "reservation of 3": reserve,
    }


def _quote(lines: list[tuple[str, int]]) -> dict[str, Any]:
    return {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines]}


async def _batch(client: aiohttp.ClientSession, call: Call, parts: Any, spent: Spent) -> None:
    async def one() -> None:
        method, url, body = call()
        begun = time.perf_counter()
        async with client.request(method, url, json=body) as answer:
            content = await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{url}: {answer.status} {content!r}")
        spent.times.append(time.perf_counter() - begun)

    async def several(count: int) -> None:
        for _ in range(count):
            await one()

    before = cpu_seconds(parts)
    await asyncio.gather(*(several(BATCH) for _ in range(AT_ONCE)))
    after = cpu_seconds(parts)
    spent.requests += BATCH * AT_ONCE
    for name, at in after.items():
        if name in {"kong", "token-validator", "catalog", "postgres"}:
            spent.cpu[name] = spent.cpu.get(name, 0.0) + at - before.get(name, at)


def _line(kind: str, one: Spent, base: float) -> str:
    each = {name: seconds / one.requests * 1000 for name, seconds in one.cpu.items()}
    whole = sum(each.values())
    times = sorted(one.times)
    budget = BUDGETS.get(kind)
    over = f" (budget {budget}: missed)" if budget and whole > budget else ""
    gateway = each.get("kong", 0.0) + each.get("token-validator", 0.0)
    return (
        f"| {kind} | {whole:.2f}{over} | {gateway:.2f} | {each.get('catalog', 0.0):.2f} "
        f"| {each.get('postgres', 0.0):.2f} "
        f"| {times[len(times) // 2] * 1000:.1f} | {times[int(len(times) * 0.95)] * 1000:.1f} "
        f"| {whole / 1000 / base:.1f} |"
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
