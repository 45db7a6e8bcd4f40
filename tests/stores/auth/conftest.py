"""auth as a whole on real stores: its app under a test client, hashing made cheap, mail kept as files."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from litestar import Litestar

from services.auth.adapters import tables
from services.auth.app import build
from services.auth.commands import MIGRATIONS
from services.auth.settings import Settings
from services.chassis import settings as chassis_settings
from services.chassis.migrations import migrate
from services.chassis.postgres import Database
from services.chassis.redis import Redis
from tests.in_process import running, until_ready
from tests.stores.auth.calls import Client

INTERNAL_KEY = "internal-key-of-the-tests"


@pytest.fixture
def environment(redis_url: str, new_postgres_database: Callable[[], str], tmp_path: Path) -> dict[str, str]:
    return {
        "TOKEN_ISSUER": "https://auth.test",
        "TOKEN_AUDIENCE": "tests",
        "AUTH_DATABASE_URL": new_postgres_database(),
        "REDIS_URL": redis_url,
        "MEMBER_URL": "http://127.0.0.1:9",  # nobody listens: deliveries wait in the outbox
        "INTERNAL_API_KEY": INTERNAL_KEY,
        "AUTH_KEY_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
        "DEMO_DATA": "true",
        "ARGON2_M": "8192",
        "ARGON2_T": "1",
        "MAIL_URL": f"file://{tmp_path}/mail",
    }


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """An open client. It lives in a task of its own: it must be closed by the task that opened it, and pytest
    tears a fixture down in another one than it set it up in."""
    opened = Redis(redis_url)
    ready, done = asyncio.Event(), asyncio.Event()

    async def keep() -> None:
        async with opened.lifespan():
            ready.set()
            await done.wait()

    keeping = asyncio.create_task(keep())
    await ready.wait()
    yield opened
    done.set()
    await keeping


@pytest.fixture
async def database(new_postgres_database: Callable[[], str]) -> AsyncIterator[Database]:
    """auth's own, empty."""
    database = tables.bound(new_postgres_database())
    async with database.lifespan():
        await migrate(database, *MIGRATIONS)
        yield database


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return chassis_settings.read(Settings, environment)


@pytest.fixture
def app(settings: Settings) -> Litestar:
    return build(settings)


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[Client]:
    async with running(app) as opened:
        await until_ready(opened)
        yield opened
