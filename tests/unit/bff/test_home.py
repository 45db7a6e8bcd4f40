"""The start screen, with its sources played by a small server."""

import asyncio
import time
from collections.abc import AsyncIterator
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
from tests.in_process import running, until_ready
from tests.signing import AUDIENCE, ISSUER, Signer
from tests.waiting import WITHIN

SUB, SID = str(uuid4()), str(uuid4())
MEMBER = {
    "id": SUB,
    "email": "minji@example.com",
    "name": "Minji",
    "phone": None,
    "grade": "gold",
    "version": 3,
}


class Sources:
    """Plays auth and member; `answers` may be replaced by a test."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.member_may_answer = asyncio.Event()
        self.member_may_answer.set()
        self.member_answers = 0
        self.member: tuple[int, bytes] = (200, msgspec.json.encode(MEMBER))
        self.asked: list[web.Request] = []

    async def jwks(self, _: web.Request) -> web.Response:
        return web.Response(body=self.signer.jwks())

    async def get_member(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        await self.member_may_answer.wait()
        self.member_answers += 1
        return web.Response(status=self.member[0], body=self.member[1])


@pytest.fixture
def sources() -> Sources:
    return Sources(Signer())


DEADLINE = 5.0
"""Seconds for a source: as many as may be set, so that none is late because the machine is busy."""


@asynccontextmanager
async def serving(
    sources: Sources, revocations_url: str, source_deadline: float
) -> AsyncIterator[AsyncClient]:
    app = web.Application()
    app.router.add_get("/jwks", sources.jwks)
    app.router.add_get("/api/members/me", sources.get_member)
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    settings = Settings(
        auth_url=url,
        member_url=url,
        catalog_url=url,
        order_url=url,
        payment_url=url,
        auth_jwks_url=f"{url}/jwks",
        redis_url=revocations_url,
        token_issuer=ISSUER,
        token_audience=AUDIENCE,
        source_deadline=source_deadline,
    )
    async with running(build(settings)) as client:
        await until_ready(client)
        yield client
    sources.member_may_answer.set()
    await server.close()


@pytest.fixture
async def api(sources: Sources, revocations_url: str) -> AsyncIterator[AsyncClient]:
    async with serving(sources, revocations_url, DEADLINE) as client:
        yield client


@pytest.fixture
def bearer(sources: Sources) -> dict[str, str]:
    return {"Authorization": f"Bearer {sources.signer.token(sub=SUB, sid=SID, roles=['admin'])}"}


async def test_home_shows_what_its_sources_know(api: AsyncClient, bearer: dict[str, str]) -> None:
    answer = await api.get("/api/home", headers=bearer)
    assert answer.status_code == 200
    home = answer.json()
    assert home["member"]["name"] == "Minji"
    assert (home["session"]["sid"], home["session"]["sub"], home["session"]["roles"]) == (SID, SUB, ["admin"])
    assert home["session"]["exp"] > time.time()
    assert home["degraded"] == []
    assert [notice["code"] for notice in home["notices"]] == ["phone_missing"]
    assert "members" in [section["name"] for section in home["sections"]]
    assert answer.headers["Cache-Control"] == "private, no-cache"


async def test_what_a_browser_keeps_of_a_strangers_page_is_not_for_who_has_signed_in(
    api: AsyncClient, bearer: dict[str, str]
) -> None:
    for headers, whom in (({}, "public, max-age=10"), (bearer, "private, no-cache")):
        answer = await api.get("/api/storefront", headers=headers)
        assert answer.status_code == 200
        assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == (whom, "Authorization, Cookie")


async def test_home_needs_a_token(api: AsyncClient) -> None:
    answer = await api.get("/api/home", headers={"X-User-Id": SUB})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("garbage", [b"", b"<html>", b'{"id": 7}', b"null"])
async def test_a_source_that_answers_garbage_is_named_and_null(
    api: AsyncClient, sources: Sources, bearer: dict[str, str], garbage: bytes
) -> None:
    sources.member = (200, garbage)
    home = (await api.get("/api/home", headers=bearer)).json()
    assert (home["member"], home["degraded"]) == (None, ["member"])
    assert home["session"]["sid"] == SID


async def test_a_slow_source_does_not_hold_the_screen_back(
    sources: Sources, revocations_url: str, bearer: dict[str, str]
) -> None:
    sources.member_may_answer.clear()
    async with serving(sources, revocations_url, 0.2) as api:
        home = (await api.get("/api/home", headers=bearer)).json()
        assert home["degraded"] == ["member"]
        assert sources.member_answers == 0, "the screen waited for member"


async def test_a_source_that_keeps_failing_is_left_alone_for_a_while(
    api: AsyncClient, sources: Sources, bearer: dict[str, str]
) -> None:
    sources.member = (500, b"")
    for _ in range(8):
        home = (await api.get("/api/home", headers=bearer)).json()
        assert home["degraded"] == ["member"]
    assert sum(request.path == "/api/members/me" for request in sources.asked) == 5


@pytest.mark.parametrize("status", [404, 403])
async def test_what_one_caller_is_refused_is_no_failure_of_the_source(
    api: AsyncClient, sources: Sources, bearer: dict[str, str], status: int
) -> None:
    """A member that does not exist yet; an account, of a guest. Else a stranger's token closes the source for all."""
    present, sources.member = sources.member, (status, b"")
    for _ in range(8):
        await api.get("/api/home", headers=bearer)
    sources.member = present
    assert (await api.get("/api/home", headers=bearer)).json()["degraded"] == []


async def test_a_session_that_ended_since_is_a_401(
    api: AsyncClient, revocations_url: str, bearer: dict[str, str]
) -> None:
    assert (await api.get("/api/home", headers=bearer)).status_code == 200
    async with RedisLink(revocations_url, 5.0) as link:
        await revocations.end(link, SID, time.time() + 600)
    async with asyncio.timeout(WITHIN):
        while (answer := await api.get("/api/home", headers=bearer)).status_code == 200:
            await asyncio.sleep(0.005)
    assert (answer.status_code, answer.json()["detail"]) == (401, "The session has been ended.")


async def test_a_session_that_member_refuses_is_a_401(
    api: AsyncClient, sources: Sources, bearer: dict[str, str]
) -> None:
    sources.member = (401, b"")
    assert (await api.get("/api/home", headers=bearer)).status_code == 401


async def test_home_asks_auth_nothing(api: AsyncClient, sources: Sources, bearer: dict[str, str]) -> None:
    await api.get("/api/home", headers=bearer)
    assert [request.path for request in sources.asked] == ["/api/members/me"]


async def test_the_token_and_the_requests_names_are_passed_on(
    api: AsyncClient, sources: Sources, bearer: dict[str, str]
) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await api.get("/api/home", headers={**bearer, "X-Request-Id": "req-1", "traceparent": trace})
    for request in sources.asked:
        assert request.headers["Authorization"] == bearer["Authorization"]
        assert request.headers["X-Request-Id"] == "req-1"
        assert request.headers["traceparent"].split("-")[1] == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert request.headers["traceparent"].split("-")[2] != "00f067aa0ba902b7"
