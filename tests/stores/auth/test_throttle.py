"""Waiting after failures: one suite for both stores, and what callers see of it over HTTP."""

import asyncio
import os
import time

import pytest
from litestar import Litestar

from services.auth.adapters.throttle_memory import InMemoryThrottle
from services.auth.adapters.throttle_redis import RedisThrottle
from services.auth.app import build
from services.auth.application.ports import Throttle
from services.auth.domain.throttling import Limit, Subject
from services.auth.settings import Settings
from services.chassis import settings as chassis_settings
from services.chassis.redis import Redis
from tests.in_process import running
from tests.stores.auth.calls import DEMO, PASSWORD, Client, register, sign_in

LIMIT = Limit(free=3, first=2, ceiling=60, window=900)
ONE, OTHER = Subject("one", LIMIT), Subject("other", LIMIT)
NOW = 1_800_000_000.5
WRONG = DEMO | {"password": "not the password"}


@pytest.fixture(params=["memory", "redis"])
def throttle(request: pytest.FixtureRequest, redis: Redis) -> Throttle:
    return InMemoryThrottle() if request.param == "memory" else RedisThrottle(redis.client)


async def test_nobody_waits_who_did_not_fail(throttle: Throttle) -> None:
    assert await throttle.wait([ONE, OTHER], NOW) == 0


async def test_failures_made_together_are_all_counted(throttle: Throttle) -> None:
    await asyncio.gather(*(throttle.failed([ONE], NOW) for _ in range(6)))
    assert await throttle.wait([ONE], NOW) == LIMIT.wait(6) == 8


async def test_the_longest_wait_of_several_counts_in_whole_seconds(throttle: Throttle) -> None:
    for _ in range(5):
        await throttle.failed([ONE], NOW)
    for _ in range(4):
        await throttle.failed([OTHER], NOW)
    assert await throttle.wait([OTHER, ONE], NOW + 0.1) == 4
    assert await throttle.wait([OTHER, ONE], NOW + 3.2) == 1
    assert await throttle.wait([OTHER, ONE], NOW + 4) == 0


async def test_forgetting_one_leaves_the_other(throttle: Throttle) -> None:
    for _ in range(5):
        await throttle.failed([ONE, OTHER], NOW)
    await throttle.forget([ONE])
    assert await throttle.wait([ONE], NOW) == 0
    assert await throttle.wait([OTHER], NOW) == 4


async def test_an_address_is_familiar_for_its_own_account_alone(throttle: Throttle) -> None:
    await throttle.remember("account", "203.0.113.9", NOW)
    assert await throttle.familiar("account", "203.0.113.9")
    assert not await throttle.familiar("account", "203.0.113.10")
    assert not await throttle.familiar("another", "203.0.113.9")


async def test_after_a_new_password_only_what_was_remembered_since_is_familiar(throttle: Throttle) -> None:
    for account in ("account", "another"):
        await throttle.remember(account, "203.0.113.9", NOW)
    await throttle.estrange("account", NOW + 1)
    assert not await throttle.familiar("account", "203.0.113.9")
    assert await throttle.familiar("another", "203.0.113.9")
    # Of a sign-in that began before and ended after.
    await throttle.remember("account", "203.0.113.9", NOW + 0.5)
    assert not await throttle.familiar("account", "203.0.113.9")
    await throttle.remember("account", "203.0.113.9", NOW + 1)
    assert await throttle.familiar("account", "203.0.113.9")


@pytest.fixture
def clock() -> list[float]:
    """auth's time, which stands still: how long a guess takes says what else the machine does."""
    return [float(int(time.time()))]  # a key is in force from now on, and PostgreSQL rounds


@pytest.fixture
def app(settings: Settings, clock: list[float]) -> Litestar:
    return build(settings, clock=lambda: clock[0])


async def test_guessing_is_slowed_down_with_a_time_to_come_back(client: Client, clock: list[float]) -> None:
    for _ in range(11):
        assert (await client.post("/api/auth/login", json=WRONG)).status_code == 401
    refused = await client.post("/api/auth/login", json=DEMO)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Content-Type"] == "application/problem+json"
    clock[0] += 1.1
    await sign_in(client)


async def test_an_account_that_does_not_exist_is_slowed_down_alike(client: Client) -> None:
    nobody = {"email": "nobody@example.com", "password": "x" * 12}
    statuses = [(await client.post("/api/auth/login", json=nobody)).status_code for _ in range(12)]
    assert statuses == [401] * 11 + [429]


async def test_guesses_made_at_once_do_not_outrun_the_limit(client: Client, settings: Settings) -> None:
    answers = await asyncio.gather(*(client.post("/api/auth/login", json=WRONG) for _ in range(60)))
    guessed = sum(answer.status_code == 401 for answer in answers)
    # One more than are free, and at most one for each hash that was under way at that moment.
    assert settings.login_free_failures < guessed <= settings.login_free_failures + 1 + (os.cpu_count() or 1)


async def test_signing_in_often_is_no_failure(client: Client) -> None:
    answers = await asyncio.gather(*(client.post("/api/auth/login", json=DEMO) for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}


async def test_strangers_do_not_lock_the_owner_out(client: Client) -> None:
    """The tests' peer is on loopback, which is trusted to name the client's address."""
    at_home, elsewhere = {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "203.0.113.9"}
    assert (await client.post("/api/auth/login", json=DEMO, headers=at_home)).status_code == 200
    statuses = [
        (await client.post("/api/auth/login", json=WRONG, headers=elsewhere)).status_code for _ in range(14)
    ]
    assert statuses[-1] == 429
    assert (await client.post("/api/auth/login", json=DEMO, headers=elsewhere)).status_code == 429
    assert (await client.post("/api/auth/login", json=DEMO, headers=at_home)).status_code == 200


async def test_one_address_that_tries_many_accounts_is_slowed_down(
    environment: dict[str, str], clock: list[float]
) -> None:
    settings = chassis_settings.read(Settings, environment | {"LOGIN_FREE_FAILURES_PER_ADDRESS": "5"})
    async with running(build(settings, clock=lambda: clock[0])) as client:
        for number in range(6):
            guess = {"email": f"user{number}@example.com", "password": "summer is here"}
            assert (await client.post("/api/auth/login", json=guess)).status_code == 401
        refused = await client.post("/api/auth/login", json=DEMO)
        assert refused.status_code == 429


async def test_asking_which_addresses_are_taken_is_slowed_down(
    environment: dict[str, str], clock: list[float]
) -> None:
    settings = chassis_settings.read(Settings, environment | {"LOGIN_FREE_FAILURES_PER_ADDRESS": "2"})
    async with running(build(settings, clock=lambda: clock[0])) as client:
        await register(client, "minji@example.com")
        taken = {"email": "minji@example.com", "password": PASSWORD, "name": "Minji"}
        statuses = [(await client.post("/api/auth/register", json=taken)).status_code for _ in range(4)]
        assert statuses == [409, 409, 409, 429]


async def test_one_address_that_registers_many_accounts_is_slowed_down_and_may_still_sign_in(
    environment: dict[str, str], clock: list[float]
) -> None:
    narrow = {"REGISTRATIONS_FREE_PER_ADDRESS": "2", "LOGIN_WAIT_SECONDS": "60"}
    settings = chassis_settings.read(Settings, environment | narrow)
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    async with running(build(settings, clock=lambda: clock[0])) as client:
        for number in range(3):
            await register(client, f"user{number}@example.com")
        body = {"email": "user3@example.com", "password": PASSWORD, "name": "Minji"}
        refused = await client.post("/api/auth/register", json=body)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 30
        assert (await client.post("/api/auth/register", json=body, headers=elsewhere)).status_code == 201
        await sign_in(client)


async def test_more_hashes_than_may_wait_are_refused_at_once(environment: dict[str, str]) -> None:
    narrow = {"ARGON2_THREADS": "1", "ARGON2_WAITING": "2", "ARGON2_T": "4"}
    settings = chassis_settings.read(Settings, environment | narrow)
    async with running(build(settings)) as client:
        answers = await asyncio.gather(*(client.post("/api/auth/login", json=DEMO) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200, 503}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["Retry-After"] == "1"
        assert refused.json()["retryable"] is True
        await sign_in(client)


async def test_a_flood_from_one_network_keeps_nobody_else_from_signing_in(
    environment: dict[str, str],
) -> None:
    narrow = {"ARGON2_THREADS": "1", "ARGON2_WAITING": "2", "ARGON2_T": "4"}
    settings = chassis_settings.read(Settings, environment | narrow)
    flooding, elsewhere = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "198.51.100.7"}
    async with running(build(settings)) as client:
        calls = [client.post("/api/auth/login", json=DEMO, headers=flooding) for _ in range(10)]
        *flood, other = await asyncio.gather(
            *calls, client.post("/api/auth/login", json=DEMO, headers=elsewhere)
        )
        assert {answer.status_code for answer in flood} == {200, 503}
        assert other.status_code == 200
