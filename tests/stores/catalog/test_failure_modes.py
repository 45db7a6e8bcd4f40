"""docs/failure-modes.md, the catalog's table, line by line, on a database that really goes away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from httpx import AsyncClient

from devstack import throwaway
from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.app import build
from services.catalog.domain.stock import Stock
from services.catalog.settings import Settings
from services.chassis.postgres import Database
from tests.documented_failures import rows
from tests.in_process import running
from tests.signing import Signer
from tests.stores.catalog.shop import INTERNAL, ShopApi
from tests.stores.own_postgres import OwnPostgres
from tests.stores.own_postgres import own_postgres as running_postgres
from tests.waiting import WITHIN

DATABASE_DOWN = [row[1:] for row in rows("catalog") if row[0] == "database down"]


def test_no_line_is_without_a_proof() -> None:
    assert {row[0] for row in rows("catalog")} == {
        "database down",
        "database restarted under load",
        "auth down, keys never fetched",
    }


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    with running_postgres("catalog") as own:
        yield own


@pytest.fixture
async def mortal(settings: Settings, own_postgres: OwnPostgres) -> AsyncIterator[AsyncClient]:
    """The API on a database that a test may stop and start."""
    url = own_postgres.server.url("catalog")
    async with running(build(msgspec.structs.replace(settings, database_url=url))) as client:
        yield client
        await asyncio.to_thread(own_postgres.start)


@pytest.mark.timeout(180)
async def test_the_documented_answers_while_the_database_is_down(
    mortal: AsyncClient, own_postgres: OwnPostgres, signer: Signer
) -> None:
    api = ShopApi(mortal, {"Authorization": f"Bearer {signer.token(roles=['admin'])}"})
    made = await api.product(await api.category(), "shoe")
    await api.stocked("SKU-shoe", 5)
    variant, order = made["variants"][0]["id"], uuid4()
    bodies = {
        "POST /api/categories": {"slug": "down", "names": {"ko": "아래"}},
        "POST /internal/quotes": {"lines": [{"sku": "SKU-shoe", "quantity": 1}]},
        "PUT /internal/reservations/{id}": {
            "goal": "held",
            "lines": [{"variant_id": variant, "quantity": 1}],
        },
    }

    async def send(call: str) -> tuple[int, str]:
        method, path = call.split(" ", 1)
        answer = await mortal.request(
            method,
            path.replace("{slug}", "shoe").replace("{id}", str(order)),
            json=bodies.get(call),
            headers=INTERNAL if "internal" in path else {**api.admin, "Idempotency-Key": "k"},
        )
        if answer.status_code == 503 and "health" not in path:
            assert answer.headers["Retry-After"] == "1"
            assert answer.json()["retryable"] is True
        return answer.status_code, answer.text

    await asyncio.to_thread(own_postgres.stop)
    for call, expected, _ in DATABASE_DOWN:
        status, text = await send(call)
        documented, _, detail = expected.partition(", ")
        assert status == int(documented), (call, text)
        assert detail.replace(": ", '":"') in text
    await asyncio.to_thread(own_postgres.start)
    async with asyncio.timeout(WITHIN):
        while (await send("GET /health/ready"))[0] != 200:
            await asyncio.sleep(0.1)
    for _ in range(2):
        afterwards = {call: (await send(call))[0] for call, _, _ in DATABASE_DOWN}
        assert afterwards.pop("POST /api/categories") == 201
        assert set(afterwards.values()) == {200}
    assert [each["slug"] for each in (await mortal.get("/api/categories")).json()["items"]] == [
        "down",
        "shoes",
    ]
    assert (await api.quote(("SKU-shoe", 1)))["lines"][0]["available"] == 4


@pytest.mark.timeout(180)
async def test_a_database_restarted_under_load_keeps_every_reservation(
    mortal: AsyncClient, own_postgres: OwnPostgres, signer: Signer
) -> None:
    api = ShopApi(mortal, {"Authorization": f"Bearer {signer.token(roles=['admin'])}"})
    made = await api.product(await api.category(), "shoe")
    await api.stocked("SKU-shoe", 1_000_000)
    body = {"goal": "held", "lines": [{"variant_id": made["variants"][0]["id"], "quantity": 1}]}
    told: dict[UUID, set[str]] = {}
    restarted, stop = asyncio.Event(), asyncio.Event()
    statuses: set[int] = set()

    async def buyer() -> None:
        after = 0
        while not stop.is_set() or after < 5:
            order = uuid4()
            for _ in range(2):
                answer = await mortal.put(f"/internal/reservations/{order}", json=body, headers=INTERNAL)
                statuses.add(answer.status_code)
                if answer.status_code == 200:
                    told.setdefault(order, set()).add(answer.json()["state"])
                    after += restarted.is_set()
                else:
                    await asyncio.sleep(0.02)

    buyers = [asyncio.create_task(buyer()) for _ in range(4)]
    async with asyncio.timeout(60):
        while len(told) < 50:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(own_postgres.stop)
        while 503 not in statuses:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(own_postgres.start)
        restarted.set()
        stop.set()
        await asyncio.gather(*buyers)
    assert statuses == {200, 503}
    assert set().union(*told.values()) == {"held"}
    database = Database(own_postgres.server.url("catalog"), application="catalog tests")
    async with database.lifespan():
        held = {
            row["order_id"]
            for row in await database.fetch("SELECT order_id FROM reservation WHERE state = 'held'")
        }
        (row,) = await database.fetch("SELECT on_hand, reserved FROM stock")
        assert told.keys() <= held
        assert Stock(row["on_hand"], row["reserved"]) == Stock(1_000_000, len(held))
        assert await PostgresStock(database).differences() == []


async def test_without_any_key_visitors_are_served_and_administrators_wait_for_auth(
    settings: Settings, signer: Signer
) -> None:
    port = throwaway.free_port()
    gone = msgspec.structs.replace(settings, auth_jwks_url=f"http://127.0.0.1:{port}/jwks.json")
    admin = {"Authorization": f"Bearer {signer.token(roles=['admin'])}"}
    async with running(build(gone)) as client:
        assert (await client.get("/api/products")).status_code == 200
        answer = await client.get("/api/stock", headers=admin)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")

        async def jwks(_: web.Request) -> web.Response:
            return web.Response(body=signer.jwks(), content_type="application/json")

        app = web.Application()
        app.router.add_get("/jwks.json", jwks)
        async with TestServer(app, port=port), asyncio.timeout(WITHIN):
            while (await client.get("/api/stock", headers=admin)).status_code != 200:
                await asyncio.sleep(0.1)
        assert (await client.get("/api/products")).status_code == 200
