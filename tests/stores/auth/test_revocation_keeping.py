"""What ended stays ended for the gateway, whatever becomes of Redis: auth's log, and the watch that reads it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import pytest

from common.access_tokens.revocations import RevocationSource, RevocationWatch, mark_key
from services.auth.adapters.links_postgres import PostgresLinks
from services.auth.adapters.revocation_keeping import TELLING_TAKES, RevocationKeeping
from services.auth.adapters.revocations_redis import STREAM, RedisRevocations
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.domain import refresh_tokens
from services.auth.domain.sessions import Lifetimes, Session
from services.chassis.postgres import Database
from services.chassis.redis import Redis
from tests.stores import own_redis
from tests.stores.own_redis import OwnRedis
from tests.waiting import WITHIN, until

LIFETIMES = Lifetimes(access=600, idle=1000, absolute=3000, grace=10)


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class Auth:
    """What auth has of it, on a Redis of its own."""

    def __init__(self, database: Database, server: OwnRedis, redis: Redis) -> None:
        self.server = server
        self.redis = redis
        self.now = time.time()
        self.sessions = PostgresSessions(database, LIFETIMES)
        self.log = RedisRevocations(redis, LIFETIMES)
        self._links = PostgresLinks(database)
        self.keeping = self.another(self.log)

    def another(self, log: RedisRevocations) -> RevocationKeeping:
        """One more process of auth."""
        return RevocationKeeping(self.sessions, self._links, log, LIFETIMES, clock=lambda: self.now)

    async def opened(self) -> UUID:
        session = Session.opened(uuid4(), uuid4(), device="", address="", now=self.now)
        token = refresh_tokens.issue(session.id, os.urandom(32), b"k" * 32)
        await self.sessions.open(session, token)
        return session.id

    async def signed_out(self) -> UUID:
        """As an answered logout leaves it."""
        session = await self.opened()
        await self.log.tell(await self.sessions.end(session, self.now), self.now)
        return session

    async def told(self) -> list[str]:
        entries = await self.redis.client.xrange(STREAM)
        return [text(entry.field_values[b"sid"]) for entry in entries]


@pytest.fixture
def server() -> Iterator[OwnRedis]:
    with own_redis.running(keeps=True) as server:
        yield server


@pytest.fixture
async def auth(database: Database, server: OwnRedis) -> AsyncIterator[Auth]:
    redis = Redis(server.url)
    ready, done = asyncio.Event(), asyncio.Event()

    async def keep() -> None:
        async with redis.lifespan():
            ready.set()
            await done.wait()

    keeping = asyncio.create_task(keep())
    await ready.wait()
    yield Auth(database, server, redis)
    done.set()
    await keeping


def watching(auth: Auth) -> RevocationWatch:
    return RevocationWatch(RevocationSource(auth.server.url, STREAM, 0.6))


async def test_a_new_redis_is_believed_once_auth_has_looked(auth: Auth) -> None:
    async with watching(auth) as watch:
        assert not await watch.settle(0.5)
        await auth.keeping.look()
        assert await watch.settle(WITHIN)


@pytest.mark.parametrize("lost", ["the last of it", "all of it", "nothing"])
async def test_a_logout_that_was_answered_holds_after_redis_lost_it(auth: Auth, lost: str) -> None:
    await auth.keeping.look()
    known = await auth.signed_out()
    kept = auth.server.log.stat().st_size
    gone = await auth.signed_out()
    auth.server.kill()
    if lost == "the last of it":
        auth.server.lose_the_end(kept)
    elif lost == "all of it":
        auth.server.lose_everything()
    auth.server.start()
    assert (str(gone) in await auth.told()) is (lost == "nothing")
    async with watching(auth) as watch:  # and token-validator was killed as well
        assert not await watch.settle(0.5)
        await auth.keeping.look()
        await until(watch.current)
        assert str(known) in watch.revoked
        assert str(gone) in watch.revoked


async def test_a_redis_that_dies_while_it_is_rebuilt_is_not_believed(auth: Auth) -> None:
    gone = await auth.signed_out()
    dead = await auth.log.process()
    auth.server.kill()
    auth.server.lose_everything()
    auth.server.start()
    await auth.log.mark(dead)  # as a rebuilding of the one before would end
    async with watching(auth) as watch:
        assert not await watch.settle(0.5)
        await auth.keeping.look()
        await until(watch.current)
        assert str(gone) in watch.revoked


async def test_an_auth_that_died_before_it_told_is_made_up_for(auth: Auth) -> None:
    await auth.keeping.look()
    untold = await auth.opened()
    await auth.sessions.end(untold, auth.now)
    await auth.keeping.look()
    assert await auth.told() == []
    auth.now += TELLING_TAKES + 1.5
    await auth.keeping.look()
    assert await auth.told() == [str(untold)]
    for _ in range(3):
        auth.now += TELLING_TAKES + 1.5
        await auth.keeping.look()
    assert await auth.told() == [str(untold)]


async def test_several_processes_of_auth_may_rebuild_at_once(auth: Auth) -> None:
    ended = {str(await auth.signed_out()) for _ in range(20)}
    await auth.redis.client.flushall()
    others = [auth.another(RedisRevocations(auth.redis, LIFETIMES)) for _ in range(3)]
    await asyncio.gather(*(one.look() for one in others))
    assert set(await auth.told()) == ended
    async with watching(auth) as watch:
        assert await watch.settle(WITHIN)
        assert len(watch.revoked) == 20


async def test_while_postgresql_cannot_be_read_nothing_is_marked(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(_: float) -> None:
        raise ConnectionError

    monkeypatch.setattr(auth.sessions, "ended_since", down)
    with pytest.raises(ConnectionError):
        await auth.keeping.look()
    assert await auth.redis.client.get(mark_key(STREAM, cluster=False)) is None


async def test_what_ended_too_long_ago_for_any_token_is_not_told_again(auth: Auth) -> None:
    await auth.signed_out()
    auth.now += 900
    await auth.redis.client.flushall()
    await auth.keeping.look()
    assert await auth.told() == []


async def test_the_log_forgets_what_no_token_outlives(auth: Auth) -> None:
    await auth.redis.client.xadd(STREAM, {"sid": "long ago", "exp": "1"}, identifier=b"1-1")
    session = await auth.signed_out()
    [entry] = await auth.redis.client.xrange(STREAM)
    assert text(entry.field_values[b"sid"]) == str(session)
    assert int(entry.field_values[b"exp"]) == LIFETIMES.revoked_until(auth.now)
