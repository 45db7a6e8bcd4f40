"""Every part is restarted, one replica after the other, while people register and order: nobody notices.

ROLLING_PARTS names the parts, "all" is all of them (`make rolling`).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import cast

import httpx
import pytest

from tests.e2e import people
from tests.e2e.callers import Answers, calling
from tests.e2e.checkouts import Product, Shopper, stocked
from tests.e2e.local_stack import LocalStack
from tests.e2e.money.books import query
from tests.e2e.stack import Stack
from tests.recovery import nodes
from tests.recovery.members import load as new_members
from tests.recovery.nodes import Nodes
from tests.recovery.report import missing

SERVICES = ("auth", "member", "catalog", "order", "payment", "bff", "frontend_proxy")
PLUGIN_SERVERS = ("token-validator", "idempotency", "response-cache")
GATEWAY = "gateway"
"""Kong and its plugin servers, one pod in the chart: Kong ends before them and begins after them."""
ALL = (*SERVICES, *PLUGIN_SERVERS, GATEWAY)
PARTS = os.environ.get("ROLLING_PARTS", "").replace("all", " ".join(ALL)).split()
ENDED = {"RemoteProtocolError", "ReadError"}
"""A kept connection that Kong closes when it ends, in the moment in which its client sends on it (RFC 9112 §9.5). The
client repeats, under the same key."""
UNREADY = 1.0
"""Seconds from the moment in which no new connection comes to a replica until it is stopped: `preStopSeconds`."""
RELOADED = 5.0
"""Seconds in which a plugin server has new workers, and the old ones have drained."""
SHOPPERS = 2


@contextmanager
def orders(stack: Stack, product: Product) -> Iterator[Answers]:
    """Guests that put something into a cart and order it, under a key each, until the block ends."""
    answers = Answers()
    with ExitStack() as shopping:
        for _ in range(SHOPPERS):
            shopping.enter_context(calling(partial(_shop, Shopper(stack), product, answers), 1))
        yield answers


def _shop(shopper: Shopper, product: Product, answers: Answers) -> None:
    def order() -> httpx.Response:
        cart = shopper.call("PUT", f"/api/cart/items/{product.sku}", {"quantity": 1})
        return shopper.place(cart.json()) if cart.status_code == 200 else cart

    time.sleep(0.1)  # below the gateway's limit of one account
    answers.of(order)


@contextmanager
def pages(url: str) -> Iterator[Counter[str]]:
    """What the front answers to somebody who looks at the shop, until the block ends."""
    answers: Counter[str] = Counter()

    def look() -> None:
        try:
            answers[str(httpx.get(f"{url}/products", timeout=30, follow_redirects=True).status_code)] += 1
        except httpx.HTTPError as fault:
            answers[repr(fault)] += 1
        time.sleep(0.05)

    with calling(look, 1):
        yield answers


def roll(running: Nodes, part: str) -> None:
    """One replica after the other."""
    for name, stack in running.stacks.items():
        if part in PLUGIN_SERVERS:  # in place: new workers, then the old ones drain
            assert stack.devstack("kill", part, "--signal", "SIGHUP").returncode == 0
            time.sleep(RELOADED)
        else:
            replace(running, name, stack, part)
    time.sleep(UNREADY)


def replace(running: Nodes, name: str, stack: LocalStack, part: str) -> None:
    """As a rolling update does it: out of the balancer, a moment, down, up, and back."""
    balancer = running.balancer_of(part)
    balancer.ready.discard(name)
    time.sleep(UNREADY)
    down = ("kong", *PLUGIN_SERVERS) if part == GATEWAY else (part,)
    for each in down:
        stack.stop(each)
    for each in reversed(down):
        stack.restart(each)
    balancer.ready.add(name)


@pytest.mark.stack
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not PARTS, reason="minutes, with every part twice: make rolling")
async def test_no_keyed_request_fails_while_every_part_is_restarted() -> None:
    with nodes.running() as running, ExitStack() as load:
        stack = cast(Stack, running)
        admin = people.StandingSession(stack)
        product = await asyncio.to_thread(stocked, stack, admin.tokens(), units=100_000)
        url = f"{stack.gateway_url}/api/members"
        members = load.enter_context(new_members(url, lambda: admin.tokens().bearer))
        placed = load.enter_context(orders(stack, product))
        seen = load.enter_context(pages(stack.frontend_url))
        wrong = []
        for part in PARTS:
            before = Counter(members.answers)
            await asyncio.to_thread(roll, running, part)
            told = members.answers - before
            print(f"\n{part}: {dict(told)}, {len(placed.failed)} orders failed so far")
            allowed = {"201"} | (ENDED if part == GATEWAY else set())
            wrong += [f"{part}: {each}" for each in told.keys() - allowed]
        await asyncio.to_thread(load.close)
        stored = await query(running.stacks["one"], "member", "SELECT email FROM member")
    lost, doubled = missing(members.acknowledged, [row["email"] for row in stored])
    print(f"{len(members.acknowledged)} members, {placed.count} orders, pages {dict(seen)}")
    assert (wrong, placed.failed, lost, doubled) == ([], [], [], [])
    assert set(seen) == {"200"}
    assert len(members.acknowledged) > 50 and placed.count > 10
