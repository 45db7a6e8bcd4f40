"""The update from a release that kept its sessions in Redis: people stay signed in, what had ended has ended."""

import os
import time
from uuid import UUID, uuid4

import pytest
from coredis import exceptions

from services.auth.adapters import carry_over
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.application.ports import Rotated
from services.auth.domain import refresh_tokens
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Lifetimes
from services.chassis.postgres import Database
from services.chassis.redis import Redis

LIFETIMES = Lifetimes(access=600, idle=1000, absolute=3000, grace=10)
NOW = float(int(time.time()))


def token_of(session: UUID) -> RefreshToken:
    return refresh_tokens.issue(session, os.urandom(32), b"k" * 32)


class Before:
    """Redis and PostgreSQL as the earlier release left them."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self.database = database
        self.redis = redis.client

    async def account(self) -> UUID:
        id_ = uuid4()
        await self.database.fetch(
            "INSERT INTO account (id, email, name, roles, status, password_hash, email_verified, created_at) "
            "VALUES ($1, $2, 'Minji', '{member}', 'active', 'x', false, now())",
            id_,
            f"{id_}@example.com",
        )
        await self.database.fetch("DELETE FROM carry_over_due")
        await self.database.fetch("INSERT INTO carry_over_due VALUES (true)")
        return id_

    async def session(self, account: UUID, seen: float) -> tuple[UUID, RefreshToken]:
        session = uuid4()
        token = token_of(session)
        fields = {
            "account": str(account),
            "token": token.digest,
            "device": "휴대폰",
            "address": "203.0.113.9",
            "created_at": repr(seen),
            "last_seen_at": repr(seen),
        }
        await self.redis.hset(f"auth:session:{session}", fields)
        await self.redis.zadd(f"auth:account:{account}:sessions", {str(session): seen + 1000})
        return session, token


@pytest.fixture
def before(database: Database, redis: Redis) -> Before:
    return Before(database, redis)


async def test_who_is_signed_in_stays_so_with_device_and_refresh_token(before: Before) -> None:
    account = await before.account()
    session, token = await before.session(account, NOW - 100.25)
    await before.session(account, NOW - 2000)  # idled out
    assert await carry_over.sessions(before.database, before.redis, LIFETIMES, NOW) == 1
    store = PostgresSessions(before.database, LIFETIMES)
    [found] = await store.of(account, NOW)
    assert (found.id, found.device, found.address) == (session, "휴대폰", "203.0.113.9")
    assert found.created_at == found.last_seen_at == NOW - 100.25
    assert isinstance(await store.rotate(token, token_of(session), NOW), Rotated)


async def test_it_happens_once_and_an_old_copy_of_redis_brings_nothing_back(before: Before) -> None:
    account = await before.account()
    session, _ = await before.session(account, NOW)
    await carry_over.sessions(before.database, before.redis, LIFETIMES, NOW)
    store = PostgresSessions(before.database, LIFETIMES)
    await store.end(session, NOW)
    assert await carry_over.sessions(before.database, before.redis, LIFETIMES, NOW) == 0
    assert await store.find(session, NOW) is None


async def test_what_had_ended_is_in_a_log_that_is_rebuilt_later(before: Before) -> None:
    await before.account()
    gone = uuid4()
    exp = str(LIFETIMES.revoked_until(NOW - 30))
    await before.redis.xadd("auth:revocations", {"sid": str(gone), "exp": exp})
    await carry_over.sessions(before.database, before.redis, LIFETIMES, NOW)
    store = PostgresSessions(before.database, LIFETIMES)
    assert await store.ended_since(LIFETIMES.forgotten_before(NOW)) == [(gone, NOW - 30)]


async def test_a_new_installation_asks_redis_nothing(before: Before, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(before.redis, "pipeline", None)
    assert await carry_over.sessions(before.database, before.redis, LIFETIMES, NOW) == 0


async def test_an_update_during_an_outage_of_redis_is_tried_again(
    before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await before.account()
    await before.session(account, NOW)

    def down(*_: object, **__: object) -> None:
        raise exceptions.ConnectionError

    with monkeypatch.context() as outage:
        outage.setattr(before.redis, "pipeline", down)
        with pytest.raises(exceptions.ConnectionError):
            await carry_over.sessions(before.database, before.redis, LIFETIMES, NOW)
    assert await carry_over.sessions(before.database, before.redis, LIFETIMES, NOW) == 1
