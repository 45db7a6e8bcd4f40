from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from httpx import AsyncClient

from services.catalog.adapters.stock_postgres import PostgresStock
from services.catalog.app import build
from services.catalog.commands import MIGRATIONS
from services.catalog.settings import Settings
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from tests.in_process import running, until_ready
from tests.signing import AUDIENCE, ISSUER, Signer
from tests.stores.catalog.shelves import Shelves
from tests.stores.catalog.shop import INTERNAL_KEY, ShopApi


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url, application="catalog tests", pool_max=16)
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield database


@pytest.fixture
def stock(database: Database) -> PostgresStock:
    return PostgresStock(database)


@pytest.fixture
def shelves(database: Database, stock: PostgresStock) -> Shelves:
    return Shelves(database, stock)


@pytest.fixture
def new_order() -> Callable[[], UUID]:
    return uuid4


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
async def jwks_url(signer: Signer) -> AsyncIterator[str]:
    """Auth's keys, as auth publishes them."""

    async def jwks(_: web.Request) -> web.Response:
        return web.Response(body=signer.jwks(), content_type="application/json")

    app = web.Application()
    app.router.add_get("/.well-known/jwks.json", jwks)
    async with TestServer(app) as server:
        yield str(server.make_url("/.well-known/jwks.json"))


@pytest.fixture
def settings(
    jwks_url: str, new_postgres_database: Callable[[], str], revocations_url: str, tmp_path: Path
) -> Settings:
    """Of a catalog without counts that are remembered, so that a test sees its own changes."""
    return Settings(
        database_url=new_postgres_database(),
        auth_jwks_url=jwks_url,
        redis_url=revocations_url,
        token_issuer=ISSUER,
        token_audience=AUDIENCE,
        internal_api_key=INTERNAL_KEY,
        browsing_ttl=0,
        media_url=(tmp_path / "media").as_uri(),
    )


@pytest.fixture
def admin(signer: Signer) -> dict[str, str]:
    return {"Authorization": f"Bearer {signer.token(roles=['admin'])}"}


@pytest.fixture
async def client(settings: Settings, admin: dict[str, str]) -> AsyncIterator[AsyncClient]:
    async with running(build(settings)) as client:
        await until_ready(client, "/api/stock", admin)
        yield client


@pytest.fixture
def api(client: AsyncClient, admin: dict[str, str]) -> ShopApi:
    """The catalog, empty, with an administrator's token at hand."""
    return ShopApi(client, admin)
