from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from httpx import AsyncClient

from services.order.app import build
from services.order.settings import Settings
from tests.in_process import running, until_ready
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
async def api(settings: Settings, signer: Signer) -> AsyncIterator[AsyncClient]:
    async with running(build(settings)) as client:
        await until_ready(client, "/api/orders", {"Authorization": f"Bearer {signer.token()}"})
        yield client


@pytest.fixture
def shop(api: AsyncClient, signer: Signer, auth: Auth, catalog: Catalog, payment: Payment) -> Shop:
    return Shop(api, signer, auth, catalog, payment)
