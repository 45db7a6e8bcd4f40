from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from httpx import AsyncClient

from services.member.app import build
from services.member.settings import Settings
from tests.in_process import running, until_ready
from tests.signing import AUDIENCE, ISSUER, Signer

INTERNAL_KEY = "internal-key-for-tests"


@pytest.fixture
def signer() -> Signer:
    return Signer()


class AuthStandIn:
    """Auth's side of the contract: its keys, and what it was told."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._server: TestServer | None = None
        self._port = 0
        self.url = ""
        self.status = 204
        self.messages: list[tuple[str, dict[str, Any], str]] = []

    async def come_back(self) -> None:
        app = web.Application()
        app.router.add_get("/.well-known/jwks.json", self._jwks)
        app.router.add_put("/internal/{rest:.*}", self._internal)
        self._server = TestServer(app, port=self._port)
        await self._server.start_server()
        self._port = self._server.port or 0
        self.url = str(self._server.make_url("")).rstrip("/")

    async def go_down(self) -> None:
        if self._server is not None:
            await self._server.close()

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.Response(body=self._signer.jwks(), content_type="application/json")

    async def _internal(self, request: web.Request) -> web.Response:
        self.messages.append((request.path, await request.json(), request.headers.get("X-Internal-Key", "")))
        return web.Response(status=self.status)


@pytest.fixture
async def auth(signer: Signer) -> AsyncIterator[AuthStandIn]:
    standin = AuthStandIn(signer)
    await standin.come_back()
    yield standin
    await standin.go_down()


@pytest.fixture
def settings(auth: AuthStandIn, new_postgres_database: Callable[[], str], revocations_url: str) -> Settings:
    return Settings(
        database_url=new_postgres_database(),
        auth_url=auth.url,
        auth_jwks_url=f"{auth.url}/.well-known/jwks.json",
        redis_url=revocations_url,
        token_issuer=ISSUER,
        token_audience=AUDIENCE,
        internal_api_key=INTERNAL_KEY,
    )


@pytest.fixture
def admin(signer: Signer) -> dict[str, str]:
    return {"Authorization": f"Bearer {signer.token(roles=['admin'])}"}


@pytest.fixture
async def api(settings: Settings, admin: dict[str, str]) -> AsyncIterator[AsyncClient]:
    async with running(build(settings)) as client:
        await until_ready(client, "/api/members", admin)
        yield client


@pytest.fixture
def as_member(signer: Signer) -> Callable[[UUID | str], dict[str, str]]:
    def headers(id_: UUID | str) -> dict[str, str]:
        return {"Authorization": f"Bearer {signer.token(sub=str(id_))}"}

    return headers


@pytest.fixture
def internal() -> dict[str, str]:
    return {"X-Internal-Key": INTERNAL_KEY}


@pytest.fixture
def new_id() -> UUID:
    return uuid4()
