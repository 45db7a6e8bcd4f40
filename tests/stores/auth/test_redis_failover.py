"""What was answered holds when another Redis takes over: a replica that Sentinel promotes, or that a cluster elects."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import pytest

from common.access_tokens.revocations import RevocationSource, RevocationWatch
from common.redis_cluster import slot
from common.redis_link import RedisLink, StoreUnavailableError
from kong.plugins.idempotency.store import Store
from services.auth.adapters.links_postgres import PostgresLinks
from services.auth.adapters.revocation_keeping import RevocationKeeping
from services.auth.adapters.revocations_redis import STREAM, RedisRevocations
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.domain import refresh_tokens
from services.auth.domain.sessions import Lifetimes, Session
from services.chassis.postgres import Database
from services.chassis.redis import Redis
from tests import redis_topologies
from tests.redis_topologies import Server, Topology
from tests.waiting import WITHIN, until

LIFETIMES = Lifetimes(access=600, idle=1000, absolute=3000, grace=10)
pytestmark = [
    pytest.mark.xdist_group("redis topologies"),
    # coredis leaves the memory streams of its connections to the garbage collector, which complains.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Its complaints belong to these tests and must not reach the next ones."""
    yield
    gc.collect()


@pytest.fixture(params=["sentinel", "cluster"])
def topology(request: pytest.FixtureRequest) -> Iterator[Topology]:
    with redis_topologies.running(request.param) as found:
        yield found


@pytest.fixture
async def redis(topology: Topology) -> AsyncIterator[Redis]:
    """Closed by the task that opened it, as the other tests' is (conftest.py)."""
    opened, ready, done = Redis(topology.url()), asyncio.Event(), asyncio.Event()

    async def keep() -> None:
        async with opened.lifespan():
            ready.set()
            await done.wait()

    keeping = asyncio.create_task(keep())
    async with asyncio.timeout(WITHIN):
        await ready.wait()
    yield opened
    done.set()
    await keeping


def keeper_of(topology: Topology, key: str) -> Server:
    """The master that has the key."""
    masters = topology.masters()
    if len(masters) == 1:
        return masters[0]
    third = slot(key.encode()) * 3 // 16384
    return topology.servers[third]


async def test_a_sign_out_that_was_answered_holds_when_a_replica_takes_over(
    topology: Topology, redis: Redis, database: Database
) -> None:
    sessions, log = PostgresSessions(database, LIFETIMES), RedisRevocations(redis, LIFETIMES)
    keeping = RevocationKeeping(sessions, PostgresLinks(database), log, LIFETIMES, clock=time.time)

    async def signed_out() -> UUID:
        session = Session.opened(uuid4(), uuid4(), device="", address="", now=time.time())
        await sessions.open(session, refresh_tokens.issue(session.id, os.urandom(32), b"k" * 32))
        await log.tell(await sessions.end(session.id, time.time()), time.time())
        return session.id

    await keeping.look()
    before = [await signed_out() for _ in range(20)]
    dead = await log.process()
    source = RevocationSource(topology.url(), STREAM, 1.0)
    async with RevocationWatch(source) as watch:
        assert await watch.settle(WITHIN)
        victim = keeper_of(topology, STREAM)
        victim.kill()

        async def looked() -> bool:
            try:
                await keeping.look()
            except Exception:
                # Nothing of what ended is forgotten meanwhile, and nobody is told that all is well.
                assert all(str(session) in watch.revoked for session in before)
                return False
            return True

        await until(looked)
        assert await log.process() != dead
        assert await log.whole_in() == await log.process()
        after = await signed_out()

        async def known() -> bool:
            return watch.current() and str(after) in watch.revoked

        await until(known)
        assert all(str(session) in watch.revoked for session in before)
    # One that starts now has to learn all of it from the new master.
    async with RevocationWatch(source) as fresh:
        assert await fresh.settle(WITHIN)
        assert all(str(session) in fresh.revoked for session in (*before, after))


@pytest.mark.parametrize(
    # Sentinel takes ten seconds to demote it.
    "topology",
    ["cluster", *(["sentinel"] if os.environ.get("STORES_MATRIX") else [])],
    indirect=True,
)
async def test_a_former_master_that_comes_back_is_not_believed(
    topology: Topology, redis: Redis, database: Database
) -> None:
    log = RedisRevocations(redis, LIFETIMES)
    sessions = PostgresSessions(database, LIFETIMES)
    keeping = RevocationKeeping(sessions, PostgresLinks(database), log, LIFETIMES, clock=time.time)
    await keeping.look()
    victim = keeper_of(topology, STREAM)
    victim.kill()

    async def marked() -> bool:
        try:
            await keeping.look()
        except Exception:
            return False
        return True

    await until(marked)
    victim.start()

    async def demoted() -> bool:
        return bool(victim("ROLE")[0] == b"slave")

    await until(demoted)
    async with RevocationWatch(RevocationSource(topology.url(), STREAM, 1.0)) as watch:
        assert await watch.settle(WITHIN)
        assert await log.whole_in() == await log.process()
    # Asked by itself, as somebody would who still has its address: its process is not the one that is marked.
    alone = f"redis://:{redis_topologies.PASSWORD}@127.0.0.1:{victim.port}/0"
    async with RevocationWatch(RevocationSource(alone, STREAM, 1.0)) as deceived:
        assert not await deceived.settle(0.5)


async def test_a_keyed_request_is_refused_while_nobody_is_master_and_served_after_it(
    topology: Topology,
) -> None:
    key = b"idempotency:{failover2}"
    async with RedisLink(topology.url(), 0.5) as link:
        store = Store(link)
        assert await store.reserve(key, b"mine", 60) is None
        assert await store.complete(key, b"mine", b"done", 60)
        # What a failover loses of the rest is the services' own records' to know.
        assert await link.command(b"WAIT", 1, 2000, near=key) >= 1
        victim = keeper_of(topology, key.decode())
        victim.kill()
        refused = 0

        async def answered() -> bool:
            nonlocal refused
            try:
                found = await store.reserve(key, b"other", 60)
            except StoreUnavailableError:
                refused += 1
                return False
            assert found is not None, "a key that took effect was given away"
            return found[0] == b"done"

        await until(answered)
        assert refused > 0
