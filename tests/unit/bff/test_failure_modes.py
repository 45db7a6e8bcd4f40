"""docs/failure-modes.md, the bff's table, line by line."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from httpx import AsyncClient

from common.redis_link import RedisLink
from services.bff.app import build
from services.bff.settings import Settings
from tests import revocations
from tests.documented_failures import rows
from tests.in_process import running, until_ready
from tests.signing import AUDIENCE, ISSUER, Signer
from tests.stores import own_redis
from tests.stores.own_redis import OwnRedis
from tests.waiting import WITHIN

SUB, SID = str(uuid4()), str(uuid4())
TIME = "2026-11-22T19:30:00Z"
ANSWERS = {
    "/api/members/me": {
        "id": SUB,
        "email": "a@example.com",
        "name": "A",
        "phone": None,
        "grade": "gold",
        "addresses": [],
        "version": 1,
    },
    "/api/products": {"items": []},
    "/api/categories": {"items": [{"id": SUB, "slug": "shoes", "name": "Shoes"}]},
    "/api/orders": {"items": []},
    "/api/cart": {
        "version": 0,
        "currency": "KRW",
        "lines": [],
        "unavailable": [],
        "changes": [],
        "items": 0,
        "shipping": 0,
        "tax": 0,
        "total": 0,
    },
    "/api/orders/summary": {
        "placed": {"paid": 2},
        "open": {"paid": 3},
        "unsent_since": TIME,
        "currency": "KRW",
    },
    "/api/payments/revenue": {
        "items": [{"currency": "KRW", "captured": 9, "refunded": 2, "disputed": 0, "net": 7}]
    },
    "/api/payments/reconciliation": {
        "latest": {"since": TIME, "until": TIME, "at": TIME, "seen": 1, "differences": [{"kind": "unknown"}]},
        "unfinished": {},
        "ledger_sum": 0,
    },
    "/api/stock": {"items": []},
    **{
        f"/api/outbox/{service}/summary": {"dead": 0, "waiting_since": None}
        for service in ("auth", "member", "catalog", "order", "payment")
    },
    "/api/auth/me": {"id": SUB, "email": "a@example.com", "name": "A", "roles": [], "created_at": TIME},
    "/api/auth/sessions": {
        "items": [
            {
                "id": SID,
                "device": None,
                "address": None,
                "created_at": TIME,
                "last_seen_at": TIME,
                "current": True,
            }
        ]
    },
}


SOON = {"session ended", "Redis down"}
"""What a service is told of by Redis, or by its silence: within milliseconds, and not at once."""


class World:
    """auth, member, catalog, order and payment as one server each; a test breaks what its line says."""

    def __init__(self, redis: OwnRedis) -> None:
        self.redis = redis
        self.signer = Signer()
        self.auth = TestServer(self._app())
        self.member = TestServer(self._app())
        self.catalog = TestServer(self._app())
        self.order = TestServer(self._app())
        self.payment = TestServer(self._app())
        self.answer: Callable[[str], web.Response | None] = lambda _: None
        self.member_may_answer = asyncio.Event()
        self.member_may_answer.set()
        self.member_answers = 0

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/jwks", self._jwks)
        app.router.add_get("/{path:.*}", self._get)
        return app

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.Response(body=self.signer.jwks())

    async def _get(self, request: web.Request) -> web.Response:
        if request.path.startswith("/api/members"):
            await self.member_may_answer.wait()
            self.member_answers += 1
        broken = self.answer(request.path)
        return broken or web.Response(body=msgspec.json.encode(ANSWERS[request.path]))


async def break_it(world: World, what: str) -> None:
    def member_says(status: int, body: bytes) -> Callable[[str], web.Response | None]:
        return lambda path: web.Response(status=status, body=body) if "members" in path else None

    if what.startswith(("auth down", "both down")):
        await world.auth.close()
    if what == "catalog down":
        await world.catalog.close()
    if what == "order down":
        await world.order.close()
    if what == "payment down":
        await world.payment.close()
    if what in {"member down", "both down"}:
        await world.member.close()
    if what == "member slow (3 s)":
        world.member_may_answer.clear()
    if what == "member answers garbage":
        world.answer = member_says(200, b"<html>oops")
    if what == "member answers 500":
        world.answer = member_says(500, b"")
    if what == "member not made yet (404)":
        world.answer = member_says(404, b"")
    if what == "session ended":
        async with RedisLink(world.redis.url, 5.0) as link:
            await revocations.end(link, SID, time.time() + 600)
    if what == "Redis down":
        world.redis.kill()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with own_redis.running() as redis:
        async with RedisLink(redis.url, 5.0) as link:
            await revocations.mark_whole(link)
        async with served(World(redis)) as world:
            yield world


@asynccontextmanager
async def served(world: World) -> AsyncIterator[World]:
    servers = (world.auth, world.member, world.catalog, world.order, world.payment)
    for server in servers:
        await server.start_server()
    yield world
    world.member_may_answer.set()
    for server in servers:
        await server.close()


@pytest.fixture
async def api(world: World) -> AsyncIterator[AsyncClient]:
    auth, member, catalog, order, payment = (
        str(server.make_url("")).rstrip("/")
        for server in (world.auth, world.member, world.catalog, world.order, world.payment)
    )
    settings = Settings(
        auth_url=auth,
        member_url=member,
        catalog_url=catalog,
        order_url=order,
        payment_url=payment,
        auth_jwks_url=f"{auth}/jwks",
        redis_url=world.redis.url,
        token_issuer=ISSUER,
        token_audience=AUDIENCE,
        source_deadline=2.5,
    )
    async with running(build(settings)) as client:
        yield client


@pytest.mark.parametrize(("fails", "call", "expected", "degraded"), rows("bff"))
async def test_the_documented_answer(
    world: World, api: AsyncClient, fails: str, call: str, expected: str, degraded: str
) -> None:
    bearer = {"Authorization": f"Bearer {world.signer.token(sub=SUB, sid=SID, roles=['admin'])}"}
    address = call.removeprefix("GET ")
    if address == "/api/today":
        address += "?from=2026-11-21T15:00:00Z&before=2026-11-22T15:00:00Z"
    if "keys never fetched" not in fails:
        await until_ready(api)
    await break_it(world, fails)
    before = world.member_answers
    answer = await api.get(address, headers=bearer)
    waited_for = world.member_answers - before
    status, _, within = expected.partition(" within ")
    async with asyncio.timeout(WITHIN):
        while fails in SOON and answer.status_code != int(status):
            answer = await api.get(address, headers=bearer)
    assert answer.status_code == int(status), answer.text
    if within:
        assert waited_for == 0, "the screen waited for member"
    if answer.status_code == 200:
        names = [name for name in degraded.split(", ") if name]
        assert answer.json()["degraded"] == names
        # Of what is stuck only the services that answered are listed.
        assert all(answer.json().get(name) is None for name in names)
    if answer.status_code == 503:
        assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    "body",
    [
        msgspec.json.encode(ANSWERS["/api/members/me"]).replace(b'"A"', b'"\xff"'),
        b'{"more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["no UTF-8", "deep"],
)
async def test_garbage_that_the_decoder_trips_over_is_a_gap_in_the_screen(
    world: World, api: AsyncClient, body: bytes
) -> None:
    await until_ready(api)
    world.answer = lambda path: web.Response(body=body) if "members" in path else None
    bearer = {"Authorization": f"Bearer {world.signer.token(sub=SUB, sid=SID)}"}
    answer = await api.get("/api/home", headers=bearer)
    assert answer.status_code == 200, answer.text
    assert answer.json()["degraded"] == ["member"]
