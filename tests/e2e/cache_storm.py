"""Changes of a price while readers ask for it and parts of the stack are killed, stopped, or lose what they had.

About each change the pages are purged once, so that some answers are read before a change and come back after it. Each
page has to go forward: an answer that is older than one that had arrived before it was asked for is a stale one.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from common.redis_link import RedisLink, StoreUnavailableError
from tests.e2e import people
from tests.e2e.stack import Stack

FAULTS = (
    "redis killed",
    "redis stopped",
    "stream trimmed",
    "plugin killed",
    "worker killed",
    "catalog killed",
)
STOPPED_S = (0.3, 1.5)
"""Shorter and longer than the plugin takes Redis' silence for an outage."""
TRIMS_S = 1.0
PURGE_WITHIN_S = 0.02
"""After a change is sent, about as long as it takes."""
EVERY_S = 0.01
"""Between two requests of a reader: three pages make 300 a second."""
PATIENCE_S = 60.0
"""Within which a change is taken, and seen, whatever was broken."""
AT_ONCE_S = 8.0
"""Within which it is seen where nothing is broken: sooner than the tags move again for what replicas of catalog
remember (CATALOG_BROWSING_TTL), which would hide a move that did nothing."""
RESTED_S = 5.0
"""After a fault, before a time counts as one of a stack that is whole."""


@dataclass
class Page:
    """What was seen of one: the newest price, and when it was first there."""

    name: str
    path: str
    conditional: bool = False
    price: int = 0
    at: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    stale: list[str] = field(default_factory=list)

    def saw(self, price: int, known: int, cache: str) -> None:
        """`known` is the newest price that had been seen when this answer was asked for."""
        if price < known:
            self.stale.append(f"{self.name}: {price} after {known} ({cache})")
        if price > self.price:
            self.price, self.at = price, time.perf_counter()


@dataclass
class Report:
    stale: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    """Milliseconds from a change's acknowledgement to the first new answer of the page, while all was whole."""

    def __str__(self) -> str:
        took = sorted(self.took) or [0.0]
        return (
            f"faults {dict(self.faults)}, answers {dict(self.answers)}, stale {len(self.stale)}; "
            f"with all parts whole a new price was seen after p50 {took[len(took) // 2]:.1f} ms, "
            f"p99 {took[int(len(took) * 0.99)]:.1f} ms ({len(self.took)} changes)"
        )


class CacheStorm:
    """`faults` are spread over the changes, in an order that follows from `seed`."""

    def __init__(self, stack: Stack, *, seed: int, changes: int, faults: int) -> None:
        self._stack = stack
        self._random = random.Random(seed)
        self._changes = changes
        url = stack.redis_url("response-cache")
        self._redis = RedisLink(url, 1.0, "storm") if url else None
        kinds = [kind for kind in FAULTS if self._redis or kind != "stream trimmed"]
        self._faults = [kinds[number % len(kinds)] for number in range(faults)]
        self._random.shuffle(self._faults)
        self._report = Report()
        self._broken = False
        self._whole_since = 0.0
        self._slug = f"storm-{uuid.uuid4().hex[:12]}"
        self._session = people.StandingSession(stack)

    async def rage(self) -> Report:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(self._stack.gateway_url, timeout=timeout) as client:
            product = await self._make(client)
            pages = [
                Page("page", f"/api/products/{self._slug}"),
                Page("page, if changed", f"/api/products/{self._slug}", conditional=True),
                Page("list", f"/api/products?q={self._slug}"),
            ]
            readers = [asyncio.create_task(self._read(client, page)) for page in pages]
            breaking = asyncio.create_task(self._change_all(client, product, pages))
            done, _ = await asyncio.wait([*readers, breaking], return_when=asyncio.FIRST_COMPLETED)
            for task in (*readers, breaking):
                task.cancel()
            await asyncio.gather(*readers, breaking, return_exceptions=True)
            for task in done:
                task.result()
        if self._redis is not None:
            await self._redis.close()
        for page in pages:
            self._report.stale += page.stale
            self._report.answers.update(page.answers)
        return self._report

    async def _change_all(self, client: aiohttp.ClientSession, product: str, pages: list[Page]) -> None:
        fault: asyncio.Task[None] | None = None
        every = self._changes / (len(self._faults) + 1)
        for number in range(1, self._changes + 1):
            due = int(number / every)
            if self._report.faults.total() < min(due, len(self._faults)) and not self._broken:
                self._broken = True
                fault = asyncio.create_task(self._break(self._faults[self._report.faults.total()]))
            whole = not self._broken and time.perf_counter() - self._whole_since > RESTED_S
            price = 10_000 + number
            purging = asyncio.create_task(self._purge(pages))
            acknowledged = await self._change(client, product, price)
            await purging
            while min(page.price for page in pages) < price:
                patience = AT_ONCE_S if whole and not self._broken else PATIENCE_S
                if time.perf_counter() - acknowledged > patience:
                    break
                await asyncio.sleep(0.001)
            self._report.unseen += [f"{page.name}: {price}" for page in pages if page.price < price]
            if self._report.unseen:
                return
            if whole and not self._broken:
                self._report.took.append(max(0.0, pages[0].at - acknowledged) * 1000)
            if self._broken:
                await asyncio.sleep(self._random.uniform(0, 0.1))
            if number == self._changes and self._report.faults.total() < len(self._faults):
                self._report.unseen.append(
                    f"{len(self._faults) - self._report.faults.total()} faults did not fit"
                )
        if fault is not None:
            await fault

    # ----- faults ---------------------------------------------------------------------------------------------------

    async def _break(self, kind: str) -> None:
        self._report.faults[kind] += 1
        try:
            match kind:
                case "redis killed":
                    await self._kill("redis")
                case "redis stopped":
                    await asyncio.to_thread(self._stack.pause, "redis")
                    await asyncio.sleep(self._random.choice(STOPPED_S))
                    await asyncio.to_thread(self._stack.resume, "redis")
                case "stream trimmed":
                    await self._trim()
                case "plugin killed":
                    await self._kill("response-cache")
                case "worker killed":
                    await asyncio.to_thread(self._stack.kill_worker, "response-cache")
                case "catalog killed":
                    await self._kill("catalog")
        finally:
            self._broken = False
            self._whole_since = time.perf_counter()

    async def _kill(self, victim: str) -> None:
        """One that is down from an earlier fault is waited for."""
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await asyncio.to_thread(self._stack.kill, victim)
            except AssertionError:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.2)

    async def _trim(self) -> None:
        """Again and again all that is in the stream is cut off, as soon as it is there."""
        assert self._redis is not None
        end = time.monotonic() + TRIMS_S
        while time.monotonic() < end:
            try:
                await self._redis.command(b"XADD", b"cache:tags", b"MAXLEN", b"1", b"*", b"tags", b"none")
            except StoreUnavailableError:
                await asyncio.sleep(0.1)

    async def _purge(self, pages: list[Page]) -> None:
        await asyncio.sleep(self._random.uniform(0, PURGE_WITHIN_S))
        tags = ",".join({f"path:{page.path.partition('?')[0]}" for page in pages})
        if self._redis is not None:
            with suppress(StoreUnavailableError):
                await self._redis.command(b"XADD", b"cache:tags", b"*", b"tags", tags.encode())

    # ----- requests -------------------------------------------------------------------------------------------------

    async def _read(self, client: aiohttp.ClientSession, page: Page) -> None:
        tag, price_of = "", {"": 0}
        due = time.perf_counter()
        while True:
            due = max(due + EVERY_S, time.perf_counter())
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            known = page.price
            headers = {"If-None-Match": tag} if page.conditional and tag else {}
            try:
                async with client.get(page.path, headers=headers) as answer:
                    body = await answer.read()
            except (aiohttp.ClientError, TimeoutError) as fault:
                page.answers[type(fault).__name__] += 1
                continue
            cache = answer.headers.get("Cache-Status", "")
            page.answers[f"{answer.status} {cache.partition('ttl=')[0]}".strip()] += 1
            if answer.status == 304:
                page.saw(price_of[answer.headers["ETag"]], known, f"304, {cache}")
            elif answer.status == 200:
                price = self._price(json.loads(body))
                tag = answer.headers.get("ETag", "")
                price_of[tag] = price
                page.saw(price, known, cache)

    def _price(self, document: dict[str, Any]) -> int:
        if "items" in document:
            prices = [int(item["price"]) for item in document["items"] if item["slug"] == self._slug]
            return prices[0] if prices else 0
        return int(document["price"])

    async def _make(self, client: aiohttp.ClientSession) -> str:
        async with client.get("/api/categories") as answer:
            category = (await answer.json())["items"][0]["id"]
        body = {
            "category": category,
            "slug": self._slug,
            "status": "active",
            "texts": {"ko": {"name": self._slug}},
            "variants": [{"sku": self._slug, "price": 10_000}],
        }
        async with client.post("/api/products", json=body, headers=await self._keyed()) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["id"])

    async def _change(self, client: aiohttp.ClientSession, product: str, price: int) -> float:
        """Insists until it is taken; the moment of that."""
        headers = {**await self._keyed(), "If-Match": "*", "Content-Type": "application/merge-patch+json"}
        change = json.dumps({"variants": [{"sku": self._slug, "price": price}]}).encode()
        give_up = time.perf_counter() + PATIENCE_S
        while True:
            try:
                async with client.patch(f"/api/products/{product}", data=change, headers=headers) as answer:
                    said = f"{answer.status} {await answer.text()}"
                    if answer.status == 200:
                        return time.perf_counter()
            except (aiohttp.ClientError, TimeoutError) as fault:
                said = repr(fault)
            assert time.perf_counter() < give_up, said
            await asyncio.sleep(0.05)

    async def _keyed(self) -> dict[str, str]:
        tokens = await self._session.insist(PATIENCE_S)
        return {**tokens.bearer, "Idempotency-Key": people.new_key()}
