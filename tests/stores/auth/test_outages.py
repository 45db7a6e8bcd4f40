"""While a store is down: 503 that may be repeated, nothing let through, and recovery without a restart."""

import gc
from collections.abc import Iterator

import httpx
import pytest

from services.auth.app import build
from services.auth.settings import Settings
from services.chassis import settings as chassis_settings
from services.chassis.redis import Redis
from tests.in_process import running
from tests.stores import own_redis
from tests.stores.auth.calls import DEMO, bearer, is_good, sign_in
from tests.stores.auth.relay import Relay

# coredis leaves the memory streams of a connection that was refused to the garbage collector, which complains.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Its complaints belong to these tests and must not reach the next ones."""
    yield
    gc.collect()


async def test_redis_down_refuses_who_signs_in_and_out_and_nobody_who_is_signed_in(
    environment: dict[str, str],
) -> None:
    async with Relay(environment["REDIS_URL"]) as relay:
        settings = chassis_settings.read(Settings, environment | {"REDIS_URL": relay.url})
        async with running(build(settings)) as client:
            tokens, other = await sign_in(client), await sign_in(client)
            refresh = {"refresh_token": tokens["refresh_token"]}
            await relay.cut()
            outage(
                await client.post("/api/auth/login", json=DEMO),
                await client.post("/api/auth/logout", headers=bearer(other)),
                await client.post("/api/auth/password/forgot", json={"email": DEMO["email"]}),
            )
            assert await is_good(client, tokens)
            refreshed = await client.post("/api/auth/refresh", json=refresh)
            assert refreshed.status_code == 200
            # Whoever asks again is not told that it is done before the gateway has been told.
            outage(await client.post("/api/auth/logout", headers=bearer(other)))
            ready = await client.get("/health/ready")
            assert (ready.status_code, ready.json()["checks"]["redis"]) == (503, "down")
            assert (await client.get("/.well-known/jwks.json")).status_code == 200
            await relay.mend()
            assert (await client.post("/api/auth/logout", headers=bearer(other))).status_code == 204
            assert not await is_good(client, other)
            await sign_in(client)


async def test_postgres_down_refuses_and_a_refresh_that_it_cut_short_may_be_repeated(
    environment: dict[str, str],
) -> None:
    async with Relay(environment["AUTH_DATABASE_URL"]) as relay:
        settings = chassis_settings.read(Settings, environment | {"AUTH_DATABASE_URL": relay.url})
        async with running(build(settings)) as client:
            tokens = await sign_in(client)
            refresh = {"refresh_token": tokens["refresh_token"]}
            await relay.cut()
            outage(
                await client.post("/api/auth/login", json=DEMO),
                await client.post("/api/auth/refresh", json=refresh),
                await client.get("/api/auth/me", headers=bearer(tokens)),
                await client.get("/api/auth/verify", headers=bearer(tokens)),
                await client.post("/api/auth/logout", headers=bearer(tokens)),
            )
            # What the gateway and the services verify tokens with is there all the same.
            assert (await client.get("/.well-known/jwks.json")).status_code == 200
            await relay.mend()
            assert await is_good(client, tokens)
            assert (await client.post("/api/auth/refresh", json=refresh)).status_code == 200
            await sign_in(client)


@pytest.mark.parametrize("state", [{"maxmemory": "1"}, {"min-replicas-to-write": "1"}])
async def test_a_redis_that_takes_no_writes_is_an_outage_too(
    environment: dict[str, str], state: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with own_redis.running() as server:
        settings = chassis_settings.read(Settings, environment | {"REDIS_URL": server.url})
        redis = Redis(server.url)
        async with running(build(settings)) as client, redis.lifespan():
            tokens, other = await sign_in(client), await sign_in(client)
            for name, value in state.items():
                await redis.client.config_set({name: value})
            outage(
                await client.post("/api/auth/login", json=DEMO),
                await client.post("/api/auth/login", json=DEMO | {"password": "a wrong one"}),
                await client.post("/api/auth/logout", headers=bearer(other)),
                await client.post("/api/auth/password/forgot", json={"email": DEMO["email"]}),
            )
            assert await is_good(client, tokens)
    assert "Redis does not serve" in caplog.messages


def outage(*answers: httpx.Response) -> None:
    assert [answer.status_code for answer in answers] == [503] * len(answers)
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
