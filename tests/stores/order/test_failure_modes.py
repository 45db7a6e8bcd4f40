"""docs/failure-modes.md, the order service's table, line by line, on a database that really goes away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import msgspec
import pytest
from httpx import AsyncClient

from services.order.app import build
from services.order.settings import Settings
from tests.documented_failures import rows
from tests.in_process import running
from tests.signing import Signer
from tests.stores.order.peers import Auth, Catalog, Payment
from tests.stores.order.shop import ADDRESS, INTERNAL_KEY, Shop
from tests.stores.own_postgres import OwnPostgres
from tests.stores.own_postgres import own_postgres as running_postgres
from tests.waiting import WITHIN

WHAT_FAILS = {"database down", "catalog down", "payment down", "auth down"}


def documented(what: str) -> list[tuple[str, str]]:
    return [(call, answer) for fails, call, answer, _ in rows("order") if fails == what]


def test_no_line_is_without_a_proof() -> None:
    assert {row[0] for row in rows("order")} == WHAT_FAILS


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    with running_postgres("orders") as own:
        yield own


@pytest.fixture
async def mortal(
    settings: Settings,
    own_postgres: OwnPostgres,
    signer: Signer,
    auth: Auth,
    catalog: Catalog,
    payment: Payment,
) -> AsyncIterator[Shop]:
    """The service on a database that a test may stop and start."""
    url = own_postgres.server.url("orders")
    async with running(build(msgspec.structs.replace(settings, database_url=url))) as client:
        yield Shop(client, signer, auth, catalog, payment)
        await asyncio.to_thread(own_postgres.start)


async def send(
    api: AsyncClient, call: str, who: dict[str, str], id_: UUID, cart: dict[str, int], report: dict[str, str]
) -> tuple[int, str]:
    method, path = call.split(" ", 1)
    bodies = {
        "PUT /api/cart/items/{sku}": {"quantity": 1},
        "POST /api/orders": {
            "cart_version": cart["version"],
            "expected_total": cart["total"],
            "address": ADDRESS,
            "email": "lee@shop.test",
        },
        "PUT /internal/orders/{id}/payment": report,
    }
    answer = await api.request(
        method,
        path.replace("{sku}", "SHOE-250").replace("{id}", str(id_)),
        json=bodies.get(call),
        headers={"X-Internal-Key": INTERNAL_KEY}
        if "internal" in path
        else {**who, "Idempotency-Key": "documented"},
    )
    if answer.status_code == 503 and "health" not in path:
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["retryable"] is True
    return answer.status_code, answer.text


@pytest.mark.timeout(180)
async def test_the_documented_answers_while_the_database_is_down(
    mortal: Shop, own_postgres: OwnPostgres
) -> None:
    mortal.catalog.sell("SHOE-250", 60_000, 10)
    kim = mortal.member()
    id_ = await mortal.paid(kim)
    cart = await mortal.put(kim, "SHOE-250", 1)
    report = mortal.payment.report(id_)
    await asyncio.to_thread(own_postgres.stop)
    for call, expected in documented("database down"):
        status, text = await send(mortal.api, call, kim, id_, cart, report)
        code, _, detail = expected.partition(", ")
        assert status == int(code), (call, text)
        assert detail.replace(": ", '":"') in text
    await asyncio.to_thread(own_postgres.start)
    async with asyncio.timeout(WITHIN):
        while (await send(mortal.api, "GET /health/ready", kim, id_, cart, report))[0] != 200:
            await asyncio.sleep(0.1)
    placed = [await send(mortal.api, "POST /api/orders", kim, id_, cart, report) for _ in range(2)]
    assert [status for status, _ in placed] == [201, 201]
    assert placed[0] == placed[1]
    assert len((await mortal.api.get("/api/orders", headers=kim)).json()["items"]) == 2
    for call, _ in documented("database down"):
        if call != "POST /api/orders":
            assert (await send(mortal.api, call, kim, id_, cart, report))[0] in {200, 204}, call


@pytest.mark.parametrize("peer", ["catalog", "payment", "auth"])
async def test_the_documented_answers_while_a_peer_is_down(shop: Shop, peer: str) -> None:
    shop.catalog.sell("SHOE-250", 60_000, 10)
    kim = shop.member()
    id_ = await shop.placed(kim)
    await shop.becomes(kim, id_, "held")
    cart = await shop.put(kim, "SHOE-250", 1)
    server = {"catalog": shop.catalog, "payment": shop.payment, "auth": shop.auth}[peer]
    server.down = True
    for call, expected in documented(f"{peer} down"):
        assert (await send(shop.api, call, kim, id_, cart, {}))[0] == int(expected), call
    if peer == "payment":
        assert (await shop.order(kim, id_))["state"] == "closing"
        assert shop.catalog.of("SHOE-250").reserved == 1
    server.down = False
    if peer == "catalog":  # the key is free, and the cart is as it was
        assert (await send(shop.api, "POST /api/orders", kim, id_, cart, {}))[0] == 201
    if peer == "payment":
        await shop.becomes(kim, id_, "cancelled")
