"""docs/failure-modes.md, payment's table, line by line."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from sandbox_provider.settings import DEVELOPMENT_WEBHOOK_SECRET
from sandbox_provider.webhooks import signature
from services.payment.app import build
from services.payment.settings import Settings
from tests.documented_failures import rows
from tests.in_process import running
from tests.stores.own_postgres import OwnPostgres
from tests.stores.own_postgres import own_postgres as running_postgres
from tests.stores.payment.world import INTERNAL, WEBHOOKS, Shop, event, wish

LINES = rows("payment")


def of(fails: str) -> list[tuple[str, int]]:
    return [(call, int(answer)) for what, call, answer, _ in LINES if what == fails]


def test_no_line_is_without_a_proof() -> None:
    assert {what for what, *_ in LINES} == {"provider down", "provider hangs", "order down", "database down"}


@pytest.fixture
def first_check() -> timedelta:
    """What nobody was promised is asked about by payment itself: 20 s later in the shop."""
    return timedelta(seconds=2)


async def send(client: httpx.AsyncClient, call: str, order: UUID) -> int:
    method, rest = call.split(" ", 1)
    path, _, wait = rest.partition(" with ")
    path = path.replace("{id}", str(order))
    if path == WEBHOOKS:
        body = event({"id": "pi_1", "metadata": {"order_id": str(order)}})
        headers = {"Stripe-Signature": signature(body, DEVELOPMENT_WEBHOOK_SECRET, int(time.time()))}
        answer = await client.post(path, content=body, headers=headers)
    else:
        sent = {
            "PUT": wish("authorise", wait=bool(wait)),
            "POST": {"refund_id": str(uuid4()), "amount": 1_000},
        }.get(method)
        answer = await client.request(method, path, json=sent, headers=INTERNAL)
    if answer.status_code == 503 and "health" not in path:
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["retryable"] is True
    return answer.status_code


async def test_the_documented_answers_while_the_provider_is_down(shop: Shop) -> None:
    paid = await shop.captured()
    await shop.sandbox.control("PUT", "outage", on=True)
    new = []
    for call, answer in of("provider down"):
        order = paid if "refunds" in call or call.startswith("GET") else uuid4()
        new += [] if order == paid else [order]
        assert await send(shop.client, call, order) == answer, call
    await shop.sandbox.control("PUT", "outage", on=False)
    for order in new:
        await shop.until(order, "session_open")
    await shop.until(paid, "captured", refunded=1_000, refund_pending=0)


async def test_the_documented_answers_while_the_provider_hangs(shop: Shop) -> None:
    for call, answer in of("provider hangs"):
        order = uuid4()
        await shop.sandbox.fault("hang", "/v1/checkout/sessions", times=2)
        assert await send(shop.client, call, order) == answer
        await shop.until(order, "session_open")


async def test_the_documented_answers_while_order_is_down(shop: Shop) -> None:
    shop.peers.status = 503
    for call, answer in of("order down"):
        order = uuid4()
        assert await send(shop.client, call, order) == answer
        page = (await shop.until(order, "session_open"))["session_url"]
        await shop.sandbox.pay(page)
        await shop.until(order, "authorised")
        assert order not in shop.peers.told
        shop.peers.status = 200
        await shop.until_told(order, "authorised")


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    with running_postgres("payments") as own:
        yield own


@pytest.fixture
async def mortal(settings: Settings, own_postgres: OwnPostgres) -> AsyncIterator[httpx.AsyncClient]:
    """The API on a database that a test may stop and start."""
    url = own_postgres.server.url("payments")
    async with running(build(msgspec.structs.replace(settings, database_url=url))) as client:
        yield client
        await asyncio.to_thread(own_postgres.start)


@pytest.mark.timeout(180)
async def test_the_documented_answers_while_the_database_is_down(
    mortal: httpx.AsyncClient, own_postgres: OwnPostgres
) -> None:
    order = uuid4()
    await asyncio.to_thread(own_postgres.stop)
    for call, answer in of("database down"):
        assert await send(mortal, call, order) == answer, call
    await asyncio.to_thread(own_postgres.start)
    async with asyncio.timeout(60):
        for call, _ in of("database down"):
            while await send(mortal, call, order) != 200:
                await asyncio.sleep(0.1)
