"""One storm with money: a shop is stocked, shoppers come, parts break, and in the end everything is counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import httpx

from tests.e2e import people
from tests.e2e.money import audit, books
from tests.e2e.money.audit import Figure
from tests.e2e.money.faults import Breaking
from tests.e2e.money.plan import PRODUCTS, ROUND, Plan
from tests.e2e.money.shoppers import Walk
from tests.e2e.money.visits import Diary
from tests.e2e.stack import Stack

RECOVERS = 120.0
SETTLES = 240.0
"""Seconds after the last fault within which everything has come to its end."""


@dataclass
class Report:
    diary: Diary = field(default_factory=Diary)
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    figures: list[Figure] = field(default_factory=list)
    settled_after: float = 0.0

    @property
    def wrong(self) -> list[str]:
        broken = [f"{figure.rule}: {each}" for figure in self.figures for each in figure.differences]
        return [*self.diary.wrong, *broken]

    @property
    def lines(self) -> list[str]:
        return [
            f"faults: {self.faults.total()} {dict(self.faults)}",
            f"answers: {dict(self.diary.answers)}",
            f"shoppers: {dict(self.diary.ends)}",
            f"orders: {self.states.total()} {dict(self.states)}, acknowledged {len(self.diary.acknowledged)}, "
            f"settled after {self.settled_after:.1f} s",
            *(figure.line for figure in self.figures),
        ]


class Storm:
    def __init__(self, stack: Stack, plan: Plan, log: Callable[[str], object] = lambda _: None) -> None:
        self._stack = stack
        self._plan = plan
        self._log = log
        self._name = f"storm-{plan.seed}"
        self._breaking = Breaking(stack)
        self._session = people.StandingSession(stack)
        self._began = time.monotonic()
        self._rounds = [asyncio.Event() for _ in plan.faults] or [asyncio.Event()]
        self._skus = [f"STORM-{plan.seed}-{number}" for number in range(PRODUCTS)]
        self._report = Report()

    async def rage(self) -> Report:
        start = await asyncio.to_thread(self._stock)
        await self._breaking.doubled_webhooks()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._break())
            for shopper in self._plan.shoppers:
                walk = Walk(
                    self._stack,
                    shopper,
                    self._plan.seed,
                    self._skus,
                    self._report.diary,
                    round_begins=lambda number: self._rounds[number].wait(),
                    expire=self._expire,
                    admin=self._admin,
                )
                group.create_task(walk.go())
        await self._breaking.mend()
        await self._settle()
        found = await books.read(self._stack, f"{self._name}-order-%", self._skus)
        self._report.states.update(order["state"] for order in found.orders)
        acknowledged = {
            key: [UUID(json.loads(body)["id"]) for body in bodies]
            for key, bodies in self._report.diary.acknowledged.items()
        }
        self._report.figures = audit.figures(found, start, acknowledged)
        return self._report

    def _stock(self) -> dict[UUID, int]:
        """New products with the plan's units; by variant."""
        gateway, admin = self._stack.gateway_url, self._session.tokens().bearer

        def post(path: str, body: dict[str, object]) -> httpx.Response:
            headers = {**admin, "Idempotency-Key": people.new_key()}
            return httpx.post(f"{gateway}{path}", json=body, headers=headers, timeout=30).raise_for_status()

        category = httpx.get(f"{gateway}/api/categories").json()["items"][0]["id"]
        start = {}
        for number, (sku, units) in enumerate(zip(self._skus, self._plan.units, strict=True)):
            product = {
                "category": category,
                "slug": sku.lower(),
                "status": "active",
                "texts": {"ko": {"name": f"폭풍 {number}"}, "en": {"name": f"Storm {number}"}},
                "variants": [{"sku": sku, "price": 7_003 + 1_111 * number}],
            }
            made = post("/api/products", product).json()
            post("/api/stock/adjustments", {"sku": sku, "change": units, "reason": "delivery"})
            start[UUID(made["variants"][0]["id"])] = units
        return start

    # ----- Faults

    async def _break(self) -> None:
        if not self._plan.faults:
            self._rounds[0].set()
        for round_, fault in zip(self._rounds, self._plan.faults, strict=False):
            round_.set()
            await asyncio.sleep(fault.at)
            self._say("fault", how=fault.how.value, victim=fault.victim, lasts=round(fault.lasts, 1))
            await self._breaking.do(fault)
            self._report.faults[f"{fault.victim} {fault.how.value}"] += 1
            await asyncio.sleep(ROUND - fault.at)
            await self._recovered()

    async def _recovered(self) -> None:
        """Returns when a request passes through every part again."""
        give_up = time.monotonic() + RECOVERS
        async with httpx.AsyncClient(timeout=10) as client:
            while time.monotonic() < give_up:
                try:
                    admin = await asyncio.to_thread(self._session.tokens)
                    calls = [
                        client.get(f"{self._stack.gateway_url}{path}", headers=admin.bearer)
                        for path in ("/api/cart", "/api/payments?limit=1", "/api/home")
                    ]
                    calls.append(client.get(f"{self._stack.frontend_url}/health"))
                    calls.append(client.get(f"{self._stack.sandbox_url}/health"))
                    if all(answer.status_code == 200 for answer in await asyncio.gather(*calls)):
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.2)
        self._report.diary.wrong.append("the stack did not recover")

    async def _admin(self) -> dict[str, str]:
        return (await self._session.insist(RECOVERS)).bearer

    # ----- The clock

    async def _expire(self, order: str) -> None:
        """The order's time is over, as if the clock had gone on; the rest is the service's."""
        await self._past("id = $1", UUID(order))

    async def _past(self, which: str, value: object) -> None:
        give_up = time.monotonic() + RECOVERS
        while True:
            try:
                await books.query(
                    self._stack,
                    "orders",
                    f"UPDATE orders SET hold_until = now() WHERE {which} AND hold_until > now()",
                    value,
                )
            except Exception:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.3)
            else:
                return

    async def _settle(self) -> None:
        """Waits until every order has come to its end, every message is delivered and every webhook heard."""
        begun = time.monotonic()
        while time.monotonic() < begun + SETTLES:
            await self._past("email LIKE $1", f"{self._name}-order-%")
            moving = await books.query(
                self._stack,
                "orders",
                "SELECT count(*) AS count FROM orders WHERE email LIKE $1 AND NOT state = ANY($2)",
                f"{self._name}-order-%",
                sorted(audit.KEPT | audit.OVER),
            )
            waiting = await books.waiting(self._stack)
            webhooks = httpx.get(f"{self._stack.sandbox_url}/_control/books", timeout=30).json()[
                "webhooks_waiting"
            ]
            if not moving[0]["count"] and not any(waiting.values()) and not webhooks:
                break
            await asyncio.sleep(0.5)
        self._report.settled_after = time.monotonic() - begun

    def _say(self, event: str, **facts: object) -> None:
        at = round(time.monotonic() - self._began, 3)
        self._log(json.dumps({"at": at, "event": event, **facts}))
