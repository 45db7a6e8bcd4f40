"""The day after the disaster, rehearsed on local processes or on containers.

Load, the primary dies, is fenced, its standby takes over, and all books are held against what was acknowledged. Then a
DELETE that nobody meant, and a restore to the moment before it.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import ExitStack
from datetime import datetime

import httpx

from tests.e2e import people
from tests.e2e.money.books import query
from tests.e2e.money.plan import Fault, How, Plan, plan
from tests.e2e.money.storm import Storm
from tests.recovery import lost_redis, members
from tests.recovery.replicated import Ask, ReplicatedStack
from tests.recovery.report import Report, missing

KEPT = {
    "member": ("member",),
    "auth": ("account",),
    "catalog": ("stock", "stock_journal", "reservation", "reservation_line"),
    "orders": ("orders", "order_line", "refund"),
    "payments": ("payment", "refund", "ledger_transaction", "ledger_entry"),
}
"""What a restore is judged by: rows that stand still once nobody shops."""


def shopping(seed: int, orders: int) -> Plan:
    """Shoppers, and in the middle of their round the primary dies."""
    made = plan(seed, orders, 0)
    failover = Fault(How.KILL, "postgres", at=1.5, lasts=0.0)
    return Plan(made.seed, made.shoppers, (failover,), made.units)


class Drill:
    def __init__(self, stack: ReplicatedStack, seed: int, orders: int) -> None:
        self._stack = stack
        self._plan = shopping(seed, orders)
        self._admin = people.StandingSession(stack)
        self._began = time.monotonic()
        self.report = Report(stack.synchronous)

    async def run(self) -> Report:
        before = await asyncio.to_thread(lost_redis.Before.of, self._stack, self._admin.tokens())
        await self._shop_while_the_primary_dies()
        await asyncio.to_thread(self._show_the_fence)
        await asyncio.to_thread(self._rejoin)
        await asyncio.to_thread(self._lose_redis, before)
        await self._restore_to_before_a_bad_delete()
        return self.report

    # ----- The primary dies

    async def _shop_while_the_primary_dies(self) -> None:
        url = f"{self._stack.gateway_url}/api/members"
        with ExitStack() as ending:
            load = ending.enter_context(members.load(url, lambda: self._admin.tokens().bearer))
            storm = await Storm(self._stack, self._plan).rage()
            await asyncio.to_thread(ending.close)
        report, (failover,) = self.report, self._stack.failovers
        report.promotion_ms = 1000 * (failover.promoted - failover.killed)
        report.rto_ms = 1000 * (load.first_after(failover.killed) - failover.killed)
        report.figures = storm.figures
        report.wrong += storm.diary.wrong
        self._step(
            f"the primary was killed and its standby promoted; answers: {dict(load.answers + storm.diary.answers)}"
        )
        await self._account_for(load, storm.diary.acknowledged, failover.killed)

    async def _account_for(self, load: members.Load, keyed: dict[str, set[bytes]], killed: float) -> None:
        """What was acknowledged, and what of it is gone; of money, what the provider has charged."""
        report = self.report
        emails = [row["email"] for row in await query(self._stack, "member", "SELECT email FROM member")]
        gone, doubled = missing(load.acknowledged, emails)
        report.wrong += [f"{email} is there twice" for email in doubled]
        report.lost_ms = max((1000 * (killed - each.at) for each in gone), default=0.0)

        orders = {json.loads(body)["id"] for bodies in keyed.values() for body in bodies}
        stored = {str(row["id"]) for row in await query(self._stack, "orders", "SELECT id FROM orders")}
        booked = await query(
            self._stack, "payments", "SELECT DISTINCT intent_id AS id FROM ledger_transaction"
        )
        books = httpx.get(f"{self._stack.sandbox_url}/_control/books", timeout=30).raise_for_status().json()
        charges = {each["id"] for each in books["intents"] if each["captured"]}
        report.acknowledged = {
            "members": len(load.acknowledged),
            "orders": len(orders),
            "charges": len(charges),
        }
        report.lost = {
            "members": [each.email for each in gone],
            "orders": sorted(orders - stored),
            "charges": sorted(charges - {row["id"] for row in booked}),
        }

    # ----- The fence

    def _show_the_fence(self) -> None:
        """The former primary comes back, as its machine would bring it back, and takes no write."""
        said = self._stack.refusal()
        if said is None or "read-only" not in said:
            self.report.wrong.append(f"the former primary did not refuse a write as a standby does: {said}")
        self._step(f"the former primary came back and took no write: {said}")

    def _rejoin(self) -> None:
        self._stack.rejoin()
        self._step("the former primary follows the new one")

    # ----- Redis is empty

    def _lose_redis(self, before: lost_redis.Before) -> None:
        self._stack.lose_redis()
        began = time.monotonic()
        wrong = before.check(self._stack)
        self.report.wrong += wrong
        if not wrong:
            took = 1000 * (time.monotonic() - began)
            self._step(
                "Redis came back empty: an order from before the failover stayed one when its key was repeated, "
                f"an ended session stayed ended, a living one was served again within {took:.0f} ms"
            )

    # ----- A bad DELETE

    async def _restore_to_before_a_bad_delete(self) -> None:
        await asyncio.to_thread(self._restore)

    def _restore(self) -> None:
        stack = self._stack
        before = _digests(stack.ask)
        moment = datetime.fromisoformat(stack.ask("SELECT clock_timestamp()"))
        for database, statement in BAD:
            stack.ask(statement, database)
        damaged = _digests(stack.ask)
        begun = time.monotonic()
        with stack.restored(moment) as ask:
            took = 1000 * (time.monotonic() - begun)
            after = _digests(ask)
        differing = sorted(name for name in before if after[name] != before[name])
        self.report.wrong += [f"{name} is not as it was before the DELETE" for name in differing]
        if damaged == before:
            self.report.wrong.append("the DELETE did nothing, so the restore shows nothing")
        self._step(
            f"restored to {moment.isoformat()}, before the DELETE, in {took:.0f} ms: "
            f"{len(before) - len(differing)} of {len(before)} tables as they were"
        )

    def _step(self, said: str) -> None:
        self.report.steps.append(f"{time.monotonic() - self._began:5.1f} s  {said}")


BAD = (("member", "DELETE FROM member"), ("orders", "DELETE FROM order_line"))
"""Somebody forgot a WHERE."""


def _digests(ask: Ask) -> dict[str, str]:
    """Of every table that KEPT names: its rows and what they say."""
    found = {}
    for database, tables in KEPT.items():
        for table in tables:
            rows = f"SELECT count(*), md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {table} t"
            found[f"{database}.{table}"] = ask(rows, database)
    return found
