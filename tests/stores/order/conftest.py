import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from httpx import AsyncClient

from services.order.app import build
from services.order.settings import Settings
from tests.in_process import running
from tests.signing import AUDIENCE, ISSUER, Signer
from tests.stores.order.peers import Auth, Catalog, Payment
from tests.stores.order.shop import INTERNAL_KEY, Shop


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
async def auth(signer: Signer) -> AsyncIterator[Auth]:
    server = Auth(signer)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def catalog() -> AsyncIterator[Catalog]:
    server = Catalog()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def payment() -> AsyncIterator[Payment]:
    server = Payment()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def settings(
    auth: Auth,
    catalog: Catalog,
    payment: Payment,
    new_postgres_database: Callable[[], str],
    revocations_url: str,
    tmp_path: Path,
) -> Settings:
    return Settings(
        database_url=new_postgres_database(),
        auth_url=auth.url,
        auth_jwks_url=f"{auth.url}/.well-known/jwks.json",
        catalog_url=catalog.url,
        payment_url=payment.url,
        redis_url=revocations_url,
        token_issuer=ISSUER,
        token_audience=AUDIENCE,
        internal_api_key=INTERNAL_KEY,
        public_origin="https://shop.test",
        mail_url=(tmp_path / "mail").as_uri(),
        shipping_countries="KR, JP",
    )


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[AsyncClient]:
    async with running(build(settings)) as client:
        yield client


@pytest.fixture
async def shop(
    api: AsyncClient, signer: Signer, auth: Auth, catalog: Catalog, payment: Payment
) -> AsyncIterator[Shop]:
    opened = Shop(api, signer, auth, catalog, payment)
    async with asyncio.timeout(30):  # until it knows auth's keys and which sessions have ended
        while (await api.get("/api/orders", headers=opened.member())).status_code == 503:
            await asyncio.sleep(0.02)
    yield opened
