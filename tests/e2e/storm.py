"""A storm: operations with keys, retried and duplicated at random, while parts of the stack are killed.

Everything that is random comes from the seed: what is sent when, how often each request is doubled, what is killed.
So a storm that went wrong is made again from its seed (what the machine's timing does in between is not).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx

from tests.e2e import people
from tests.e2e.stack import Stack

VICTIMS = ("token-validator", "idempotency", "redis", "member", "postgres", "kong")
ROUND = 3.0
"""Seconds of a round: one part is killed in it, and its share of the operations is sent."""
PATIENCE = 120.0
"""Seconds after which an operation that has got no answer counts as lost."""
SESSION = 240.0
"""Seconds after which the client signs in again; an access token lives for 600."""
PATIENCES = (15.0,) * 9 + (0.05,)
"""Seconds for which the client waits for one answer: now and then it goes away before it has one."""
COME_BACK = frozenset(("/problems/idempotency-in-progress",))


@dataclass(frozen=True)
class Operation:
    """One member to be created: a request for it is sent at each of `starts`, seconds into its round.

    Copies come at once, as of a double click, or later, as of a client whose answer was lost.
    """

    number: int
    round: int
    starts: tuple[float, ...]
    body: bytes
    key: str
    email: str


@dataclass(frozen=True)
class Fault:
    """A part is killed `at` seconds into its round; the next round begins when requests pass again."""

    at: float
    victim: str


@dataclass(frozen=True)
class Plan:
    seed: int
    operations: tuple[Operation, ...]
    faults: tuple[Fault, ...]


def plan(seed: int, operations: int, faults: int) -> Plan:
    chance = random.Random(seed)
    return Plan(
        seed,
        tuple(_operation(chance, seed, number, faults) for number in range(operations)),
        tuple(Fault(chance.uniform(0, ROUND / 2), chance.choice(VICTIMS)) for _ in range(faults)),
    )


def _operation(chance: random.Random, seed: int, number: int, rounds: int) -> Operation:
    email = f"storm-{seed}-{number}@example.com"
    body = json.dumps({"email": email, "name": f"Storm {seed} {number}"}).encode()
    round_, start = chance.randrange(rounds), chance.uniform(0, ROUND)
    copies = [
        start + chance.choice((0.0, chance.uniform(0, ROUND))) for _ in range(chance.choice((0, 0, 0, 1, 2)))
    ]
    return Operation(number, round_, (start, *copies), body, f"storm-{seed}-{number}", email)


@dataclass
class Report:
    """What happened: `acknowledged` has the distinct bodies of 201 answers by e-mail."""

    acknowledged: dict[str, set[bytes]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)


class Storm:
    """One run of a plan on a stack; `log` gets a line for each event."""

    def __init__(self, stack: Stack, plan: Plan, log: Callable[[str], object] = lambda _: None) -> None:
        self._stack = stack
        self._plan = plan
        self._log = log
        self._report = Report()
        self._bearer: dict[str, str] = {}
        self._began = self._signed_in = time.monotonic()
        self._rounds = [asyncio.Event() for _ in plan.faults]

    async def rage(self) -> Report:
        """Carries the plan out, waits until every operation has its answer, and counts the rows."""
        self._say(
            "begin",
            seed=self._plan.seed,
            operations=len(self._plan.operations),
            faults=len(self._plan.faults),
        )
        await asyncio.to_thread(self._sign_in)
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            group.create_task(self._break())
            for operation in self._plan.operations:
                for copy in range(len(operation.starts)):
                    group.create_task(self._insist(session, operation, copy))
        await asyncio.to_thread(self._count)
        return self._report

    async def _break(self) -> None:
        for round_, fault in zip(self._rounds, self._plan.faults, strict=True):
            round_.set()
            await asyncio.sleep(fault.at)
            await asyncio.to_thread(self._kill, fault.victim)
            self._report.killed[fault.victim] += 1
            await asyncio.sleep(ROUND - fault.at)
            await asyncio.to_thread(self._recover)
            if time.monotonic() - self._signed_in > SESSION:
                await asyncio.to_thread(self._sign_in)

    def _sign_in(self) -> None:
        self._bearer = people.sign_in(self._stack).bearer
        self._signed_in = time.monotonic()

    def _recover(self) -> None:
        """Returns when a request passes through every part again."""
        give_up = time.monotonic() + PATIENCE
        headers = self._bearer | {"Idempotency-Key": people.new_key()}
        url = f"{self._stack.gateway_url}/api/members?limit=1"
        while time.monotonic() < give_up:
            try:
                if httpx.get(url, headers=headers).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            headers["Idempotency-Key"] = people.new_key()
            time.sleep(0.2)
        self._report.wrong.append("the stack did not recover")

    def _kill(self, victim: str) -> None:
        """Kills a part; one that is down from an earlier fault is waited for."""
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                self._stack.kill(victim)
            except AssertionError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.5)
            else:
                return self._say("kill", victim=victim)

    async def _insist(self, session: aiohttp.ClientSession, operation: Operation, copy: int) -> None:
        """Repeats one request, as a careful client does, until it has an answer that is one."""
        chance = random.Random(f"{operation.key} {copy}")
        await self._rounds[operation.round].wait()
        await asyncio.sleep(operation.starts[copy])
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            outcome = await self._send(session, operation, chance.choice(PATIENCES))
            self._report.answers[outcome] += 1
            if outcome == "201":
                return
            if not self._worth_repeating(outcome):
                self._report.wrong.append(f"operation {operation.number}: {outcome}")
                return
            await asyncio.sleep(chance.uniform(0.05, 1.0))
        self._report.wrong.append(f"operation {operation.number}: no answer")

    async def _send(self, session: aiohttp.ClientSession, operation: Operation, patience: float) -> str:
        headers = self._bearer | {"Content-Type": "application/json", "Idempotency-Key": operation.key}
        url = f"{self._stack.gateway_url}/api/members"
        try:
            timeout = aiohttp.ClientTimeout(total=patience)
            async with session.post(url, data=operation.body, headers=headers, timeout=timeout) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__
        replayed = answer.headers.get("Idempotent-Replayed", "")
        self._say("answer", operation=operation.number, status=answer.status, replayed=replayed)
        if answer.status == 201:
            self._report.acknowledged.setdefault(operation.email, set()).add(body)
        if answer.status == 409:
            return f"409 {json.loads(body).get('type')}"
        return str(answer.status)

    @staticmethod
    def _worth_repeating(outcome: str) -> bool:
        """Faults, and the one conflict that asks for it. Any other, such as a taken e-mail, is a second effect."""
        status, _, kind = outcome.partition(" ")
        return not status.isdecimal() or int(status) >= 500 or kind in COME_BACK

    def _count(self) -> None:
        """The rows of this storm, read from the service past the gateway."""
        mine = {operation.email for operation in self._plan.operations}
        cursor: str | None = None
        while True:
            page = self._page({"limit": "100"} | ({"cursor": cursor} if cursor else {}))
            self._report.rows.update(item["email"] for item in page["items"] if item["email"] in mine)
            cursor = page["next_cursor"]
            if not cursor:
                return

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        """One page, once the service is back from the last fault."""
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                answer = httpx.get(
                    f"{self._stack.member_url}/api/members", params=query, headers=self._bearer
                )
                answer.raise_for_status()
            except httpx.HTTPError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.5)
            else:
                page: dict[str, Any] = answer.json()
                return page

    def _say(self, event: str, **facts: object) -> None:
        at = round(time.monotonic() - self._began, 3)
        self._log(json.dumps({"at": at, "event": event, **facts}))
