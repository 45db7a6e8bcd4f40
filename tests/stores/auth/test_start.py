"""Starting: on an empty database, several processes at once, again later; and what operators see."""

import asyncio
import logging

import asyncpg
import pytest

from services.auth.app import build
from services.auth.settings import Settings
from services.chassis import settings as chassis_settings
from tests.in_process import running
from tests.stores.auth.calls import DEMO, Client, bearer, sign_in


async def test_processes_that_start_together_share_tables_key_and_demo_account(settings: Settings) -> None:
    # In one process the tables have one pool, that of the application built last: none may leave before all are done.
    all_done = asyncio.Barrier(3)

    async def serve() -> None:
        async with running(build(settings)) as client:
            await sign_in(client)
            await all_done.wait()

    await asyncio.gather(*(serve() for _ in range(3)))
    database = await asyncpg.connect(settings.database_url)
    try:
        assert await database.fetchval("SELECT count(*) FROM signing_key") == 1
        assert await database.fetchval("SELECT count(*) FROM account") == 1
    finally:
        await database.close()


async def test_a_session_outlives_a_restart(settings: Settings) -> None:
    async with running(build(settings)) as client:
        tokens = await sign_in(client)
    async with running(build(settings)) as client:
        assert (await client.get("/api/auth/verify", headers=bearer(tokens))).status_code == 200
        answer = await client.post("/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert answer.status_code == 200


async def test_without_demo_data_there_is_no_demo_account(environment: dict[str, str]) -> None:
    settings = chassis_settings.read(Settings, environment | {"DEMO_DATA": "false"})
    async with running(build(settings)) as client:
        assert (await client.post("/api/auth/login", json=DEMO)).status_code == 401


async def test_security_events_are_counted_and_logged_without_secrets(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tokens = await sign_in(client)
    await client.post("/api/auth/login", json=DEMO | {"password": "a wrong secret"})
    await client.post("/api/auth/logout", headers=bearer(tokens))
    metrics = (await client.get("/metrics")).text
    for event in ("login", "login_failed", "logout"):
        assert f'auth_security_events_total{{event="{event}"}} 1.0' in metrics
    assert [record.message for record in caplog.records if record.name == "auth.audit"] == [
        "login",
        "login_failed",
        "logout",
    ]
    told = "".join(str(vars(record)) for record in caplog.records)
    for secret in (tokens["access_token"], tokens["refresh_token"], "a wrong secret", DEMO["password"]):
        assert secret not in told
