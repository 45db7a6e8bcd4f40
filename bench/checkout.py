"""What a checkout costs on a running stack: placements a second, how long the steps take, and each hop's share of CPU.

    make up && python -m bench.checkout [--checkouts 400] [--placements 800] [--at-once 24]

Whole checkouts first, by so many guests at once through :8000: a session, two products into the cart, an address, the
order, the page, the card at the sandbox, until it says `paid`. A shopper looks at the page for a moment in between, so
that few of them leave the machine idle, and what the stack does without them is divided by few checkouts: 24 keep two
cores busy. Then placements of carts that are full already, by the same guests: as fast as it goes with eight at once,
and at 50 a second. CPU is what to compare: on a machine that does something else as well, rates and times say little.
`placed to held` is from the orders' own timelines.

auth lets one address open 1,000 guests' sessions an hour: two runs of this size.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import aiohttp

from bench.figures import figure
from bench.stack_load import LOAD, cpu_seconds, percentile, processes
from devstack.settings import Settings, read

AT_ONCE = 24
PLACING_AT_ONCE = 8
RATE = 50.0
UNITS = 1_000_000
BUDGET_CPU_MS = 25.0
BUDGET_CHECKOUTS = 60.0
BUDGET_PLACEMENTS = 150.0
BUDGET_P95_MS = 60.0
BUDGET_HELD_P95_MS = 30.0
FIRST_LOOK_S = 0.15
LOOK_EVERY_S = 0.5
"""As a page looks: a question every moment would be most of what a checkout costs."""
ADDRESS = {
    "recipient": "김하늘",
    "phone": "+821012345678",
    "line1": "세종대로 110",
    "city": "서울",
    "postal_code": "04524",
    "country": "KR",
}


class Guest:
    """One shopper without an account, with a cart of two products."""

    def __init__(self, http: aiohttp.ClientSession, stack: Settings, skus: tuple[str, str]) -> None:
        self._http = http
        self._gateway = stack.url("GATEWAY_PORT")
        self._skus = skus
        self.headers: dict[str, str] = {}

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {**self.headers, **headers}
        async with self._http.request(method, self._gateway + path, json=body, headers=sent) as answer:
            if answer.status == 429:
                sys.exit(f"{method} {path}: 429. More guests in an hour than one address may be?")
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    async def begin(self) -> None:
        guest = await self.call("POST", "/api/auth/guest")
        self.headers = {"Authorization": f"Bearer {guest['access_token']}"}

    async def fill(self) -> dict[str, Any]:
        for sku in self._skus:
            cart: dict[str, Any] = await self.call("PUT", f"/api/cart/items/{sku}", {"quantity": 1})
        return cart

    async def place(self, cart: Mapping[str, Any]) -> str:
        body = {
            "cart_version": cart["version"],
            "expected_total": cart["total"],
            "address": ADDRESS,
            "email": "bench@example.com",
        }
        placed = await self.call("POST", "/api/orders", body, **{"Idempotency-Key": str(uuid4())})
        return str(placed["id"])

    async def pay(self, order: str) -> None:
        await self._until(order, "held")
        page = (await self.call("POST", f"/api/orders/{order}/payment"))["redirect_url"]
        form = {"card": "4242 4242 4242 4242"}
        async with self._http.post(page, data=form, allow_redirects=False) as answer:
            if answer.status != 303:
                raise RuntimeError(f"{page}: {answer.status}")
        await self._until(order, "paid")

    async def times(self, order: str) -> dict[str, float]:
        """Seconds from `placed` to each event."""
        events = (await self.call("GET", f"/api/orders/{order}/events"))["events"]
        at = {event["event"]: datetime.fromisoformat(event["at"]) for event in events}
        return {event: (moment - at["placed"]).total_seconds() for event, moment in at.items()}

    async def _until(self, order: str, state: str) -> None:
        await asyncio.sleep(FIRST_LOOK_S)
        while (await self.call("GET", f"/api/orders/{order}"))["state"] != state:
            await asyncio.sleep(LOOK_EVERY_S)


async def main(checkouts: int, placements: int, at_once: int) -> None:
    stack = read(os.environ)
    connector = aiohttp.TCPConnector(limit=at_once * 4)
    async with aiohttp.ClientSession(connector=connector) as http:
        skus = await _stock(http, stack)

        def guest() -> Guest:
            return Guest(http, stack, skus)

        await _several(at_once, at_once, lambda _: _checkout(guest()))
        guests = await _whole(stack, guest, checkouts, at_once)
        if placements:
            await _placements(guests, placements)


async def _whole(stack: Settings, guest: Callable[[], Guest], count: int, at_once: int) -> list[Guest]:
    """The guests, each of whom has bought something."""
    whole: list[float] = []

    async def one(_: int) -> None:
        shopper, begun = guest(), time.perf_counter()
        order = await _checkout(shopper)
        whole.append(time.perf_counter() - begun)
        bought.append((shopper, order))

    bought: list[tuple[Guest, str]] = []
    parts = processes(stack)
    before, begun = cpu_seconds(parts), time.perf_counter()
    await _several(count, at_once, one)
    elapsed, after = time.perf_counter() - begun, cpu_seconds(parts)
    print(f"{count} checkouts, {at_once} at once: {count / elapsed:.1f}/s (budget {BUDGET_CHECKOUTS:.0f})")
    print(f"  a checkout: p50 {_ms(whole, 0.5)}, p95 {_ms(whole, 0.95)}")
    await _tell_times(bought, {"stock_held": "held", "payment_captured": "paid"})
    spent = {hop: (seconds - before[hop]) / count * 1000 for hop, seconds in after.items()}
    generator = spent.pop(LOAD)
    total = sum(spent.values())
    print("\n| hop | CPU, ms a checkout | share |\n| --- | --- | --- |")
    for hop, share in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"| {hop} | {share:.2f} | {share / total:.0%} |")
    figure("checkout, all processes", total * 1000, "cpu", budget=BUDGET_CPU_MS * 1000)
    figure("checkouts a second", count / elapsed, "clock", budget=BUDGET_CHECKOUTS, at_least=True)
    over = ": missed" if total > BUDGET_CPU_MS else ""
    print(f"| all | {total:.2f} (budget {BUDGET_CPU_MS:.0f}{over}) | |\n| ({LOAD}) | {generator:.2f} | |\n")
    return [shopper for shopper, _ in bought]


async def _placements(guests: list[Guest], count: int) -> None:
    """Each guest places twice at most: fast, and paced."""
    half = min(count // 2, len(guests))
    fast = await _filled(guests[:half])

    async def place(number: int) -> None:
        await fast[number][0].place(fast[number][1])

    begun = time.perf_counter()
    await _several(half, PLACING_AT_ONCE, place)
    rate = half / (time.perf_counter() - begun)
    figure("placements a second", rate, "clock", budget=BUDGET_PLACEMENTS, at_least=True)
    print(f"placing, {PLACING_AT_ONCE} at once: {rate:.0f}/s (budget {BUDGET_PLACEMENTS:.0f})")

    paced = await _filled(guests[:half])
    placed: list[tuple[Guest, str]] = []
    taken: list[float] = []
    begun = time.perf_counter()

    async def at_its_time(number: int) -> None:
        due = begun + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        shopper, cart = paced[number]
        placed.append((shopper, await shopper.place(cart)))
        taken.append(time.perf_counter() - due)

    await asyncio.gather(*(at_its_time(number) for number in range(len(paced))))
    figure(
        "placing at 50/s, p95 ms", sorted(taken)[int(len(taken) * 0.95)] * 1000, "clock", budget=BUDGET_P95_MS
    )
    print(
        f"placing at {RATE:.0f}/s: p50 {_ms(taken, 0.5)}, p95 {_ms(taken, 0.95)} (budget {BUDGET_P95_MS:.0f})"
    )
    await asyncio.sleep(1)
    held = await _tell_times(placed, {"stock_held": "held"}, budget=BUDGET_HELD_P95_MS)
    figure("placed to held at 50/s, p95 ms", held["held"], "clock", budget=BUDGET_HELD_P95_MS)


async def _filled(guests: list[Guest]) -> list[tuple[Guest, dict[str, Any]]]:
    carts: list[tuple[Guest, dict[str, Any]]] = []

    async def fill(number: int) -> None:
        carts.append((guests[number], await guests[number].fill()))

    await _several(len(guests), PLACING_AT_ONCE, fill)
    return carts


async def _tell_times(
    orders: list[tuple[Guest, str]], events: Mapping[str, str], budget: float | None = None
) -> dict[str, float]:
    """How long after they were placed these happened to the orders, by the names of the states that followed: p95 in
    milliseconds.
    """
    times = [await shopper.times(order) for shopper, order in orders]
    found = {}
    for event, name in events.items():
        taken = [each[event] for each in times]
        allowed = "" if budget is None else f" (budget {budget:.0f})"
        print(f"  placed to {name}: p50 {_ms(taken, 0.5)}, p95 {_ms(taken, 0.95)}{allowed}")
        found[name] = percentile(taken, 0.95)
    return found


async def _checkout(guest: Guest) -> str:
    await guest.begin()
    order = await guest.place(await guest.fill())
    await guest.pay(order)
    return order


async def _several(count: int, at_once: int, act: Callable[[int], Awaitable[Any]]) -> None:
    numbers = iter(range(count))

    async def one_after_another() -> None:
        for number in numbers:
            await act(number)

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))


async def _stock(http: aiohttp.ClientSession, stack: Settings) -> tuple[str, str]:
    """Two new products with enough in stock."""
    login = {"email": "test@example.com", "password": "password123"}
    async with http.post(f"{stack.url('AUTH_PORT')}/api/auth/login", json=login) as answer:
        if answer.status != 200:
            sys.exit(f"signing in: {answer.status} {await answer.text()}")
        token = (await answer.json())["access_token"]
    gateway = stack.url("GATEWAY_PORT")
    headers = {"Authorization": f"Bearer {token}"}
    async with http.get(f"{gateway}/api/categories") as answer:
        category = (await answer.json())["items"][0]["id"]
    skus = (f"bench-{uuid4().hex[:8]}", f"bench-{uuid4().hex[:8]}")
    for sku in skus:
        product = {
            "category": category,
            "slug": sku,
            "status": "active",
            "texts": {"ko": {"name": sku}, "en": {"name": sku}},
            "variants": [{"sku": sku, "price": 12_000}],
        }
        delivery = {"sku": sku, "change": UNITS, "reason": "delivery"}
        for path, body in (("/api/products", product), ("/api/stock/adjustments", delivery)):
            async with http.post(gateway + path, json=body, headers=headers) as answer:
                if answer.status >= 300:
                    sys.exit(f"{path}: {answer.status} {await answer.text()}")
    return skus


def _ms(seconds: list[float], share: float) -> str:
    return f"{percentile(seconds, share):.1f} ms"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkouts", type=int, default=400)
    parser.add_argument("--placements", type=int, default=800, help="two for each checkout at most")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="shoppers at once")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.checkouts, arguments.placements, arguments.at_once))
