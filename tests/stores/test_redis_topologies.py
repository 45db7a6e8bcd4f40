"""Each client of ours on Redis as operators offer it: TLS, Sentinel, Cluster; with the users that it has in production.

`make stores-matrix` runs whole suites on each; here is what differs between them.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from common.access_tokens.revocations import RevocationSource, RevocationWatch
from common.address import with_password
from common.redis_cluster import slot
from common.redis_link import RedisLink, StoreUnavailableError
from kong.plugins.idempotency.store import Store
from services.auth.adapters.revocations_redis import STREAM, RedisRevocations
from services.auth.adapters.throttle_redis import RedisThrottle
from services.auth.domain.sessions import Lifetimes
from services.auth.domain.throttling import Limit, Subject
from services.chassis.redis import Redis
from tests import redis_topologies
from tests.redis_topologies import KINDS, Topology
from tests.stores.test_redis_users import RULES
from tests.waiting import WITHIN

LIFETIMES = Lifetimes(access=600, idle=1000, absolute=3000, grace=10)
LIMIT = Limit(free=3, first=2, ceiling=60, window=900)

# coredis leaves the memory streams of its connections to the garbage collector, which complains.
pytestmark = [
    pytest.mark.xdist_group("redis topologies"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def collected_here() -> Iterator[None]:
    """Its complaints belong to these tests and must not reach the next ones."""
    yield
    gc.collect()


@pytest.fixture(scope="module", params=KINDS)
def topology(request: pytest.FixtureRequest) -> Iterator[Topology]:
    with redis_topologies.running(request.param) as found:
        found.with_users([rule for rule in RULES if rule[0] not in {"default", "health", "backup"}])
        yield found


@pytest.fixture(autouse=True)
def empty(topology: Topology) -> None:
    topology.flush()


def as_user(topology: Topology, name: str) -> str:
    url = topology.url().replace("://:", f"://{name}:", 1)
    return with_password(url, name, ("redis", "rediss"))


@asynccontextmanager
async def of_auth(topology: Topology) -> AsyncIterator[Redis]:
    redis = Redis(as_user(topology, "auth"))
    async with redis.lifespan():
        yield redis


@pytest.fixture
async def link(topology: Topology) -> AsyncIterator[RedisLink]:
    async with RedisLink(as_user(topology, "idempotency"), 5.0) as link:
        yield link


async def test_of_many_requests_with_one_key_one_wins_wherever_the_key_is(link: RedisLink) -> None:
    store = Store(link)
    for key in (b"idempotency:{%d}" % number for number in range(8)):
        mine = [b"owner %d" % number for number in range(20)]
        found = await asyncio.gather(*(store.reserve(key, one, 30) for one in mine))
        (winner,) = (one for one, other in zip(mine, found, strict=True) if other is None)
        assert await store.complete(key, winner, b"done", 30)
        assert (await store.reserve(key, b"later", 30) or [None])[0] == b"done"
    assert [await store.count(b"network", 60) for _ in range(3)] == [1, 2, 3]


async def test_a_revocation_of_auths_reaches_who_follows_it(topology: Topology) -> None:
    source = RevocationSource(as_user(topology, "token-validator"), STREAM, 2.0)
    async with of_auth(topology) as redis, RevocationWatch(source) as watch:
        assert not await watch.settle(0.3), "nobody has marked it"
        log, sessions = RedisRevocations(redis, LIFETIMES), [uuid4() for _ in range(50)]
        await log.append([(session, time.time()) for session in sessions[:49]])
        process = await log.process()
        await log.mark(process)
        assert await log.whole_in() == process
        async with asyncio.timeout(WITHIN):
            while not watch.current():
                await asyncio.sleep(0.01)
            assert len(watch.revoked) == 49
            await log.append([(sessions[49], time.time())])
            while str(sessions[49]) not in watch.revoked:
                await asyncio.sleep(0.002)


async def test_failures_of_many_subjects_are_counted_for_each(topology: Topology) -> None:
    subjects = [Subject(f"subject {number}", LIMIT) for number in range(8)]
    async with of_auth(topology) as redis:
        throttle = RedisThrottle(redis.client)
        for _ in range(5):
            await throttle.failed(subjects, 1_800_000_000.0)
        assert await throttle.wait(subjects, 1_800_000_000.0) == LIMIT.wait(5)
        await throttle.forget(subjects[:7])
        assert await throttle.wait(subjects[:7], 1_800_000_000.0) == 0
        assert await throttle.wait(subjects, 1_800_000_000.0) == LIMIT.wait(5)
        await throttle.remember("account", "network", 1.0)
        assert await throttle.familiar("account", "network")
        await throttle.estrange("account", 2.0)
        assert not await throttle.familiar("account", "network")


async def test_a_user_has_its_own_keys_alone_there_too(topology: Topology, link: RedisLink) -> None:
    for command in (
        (b"GET", b"auth:revocations"),
        (b"FLUSHALL",),
        (b"CLUSTER", b"NODES"),
        (b"CONFIG", b"GET", b"dir"),
    ):
        with pytest.raises(StoreUnavailableError, match=r"(?i)permission"):
            await link.command(*command)
    async with RedisLink(as_user(topology, "token-validator"), 5.0) as follower:
        with pytest.raises(StoreUnavailableError, match=r"(?i)permission"):
            await follower.command(b"XADD", STREAM.encode(), b"*", b"sid", b"x")


async def test_a_key_is_followed_while_its_slot_moves(topology: Topology, link: RedisLink) -> None:
    if len(topology.masters()) == 1:
        return  # TLS and Sentinel have one server with all keys
    store, key, later = Store(link), b"idempotency:{moving}", b"idempotency:{moving}2"
    assert await store.reserve(key, b"mine", 30) is None
    number = slot(key)
    source, target = _move(topology, number)
    # Half way: the key is still at the source, one that nobody has yet is made at the target (ASK).
    assert await store.reserve(later, b"mine", 30) is None
    assert await store.complete(key, b"mine", b"done", 30)
    keys = [found.decode() for found in source("CLUSTER", "GETKEYSINSLOT", number, 10)]
    options = ["AUTH", redis_topologies.PASSWORD, "KEYS"]
    source("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, *options, *keys)
    owner = target("CLUSTER", "MYID").decode()
    for server in (target, source, *topology.masters()):
        server("CLUSTER", "SETSLOT", number, "NODE", owner)
    # And after it, by the source's MOVED.
    for kept in (key, later):
        assert await store.reserve(kept, b"other", 30) is not None


def _move(topology: Topology, number: int) -> tuple[redis_topologies.Server, redis_topologies.Server]:
    masters = topology.masters()
    ids = {server("CLUSTER", "MYID").decode(): server for server in masters}
    (mine,) = (
        line.split()[0]
        for line in masters[0]("CLUSTER", "NODES").decode().splitlines()
        if " connected " in line
        for bounds in line.split()[8:]
        if "-" in bounds
        and not bounds.startswith("[")
        and int(bounds.split("-")[0]) <= number <= int(bounds.split("-")[1])
    )
    source = ids[mine]
    target = next(server for server in masters if server is not source)
    target("CLUSTER", "SETSLOT", number, "IMPORTING", mine)
    source("CLUSTER", "SETSLOT", number, "MIGRATING", target("CLUSTER", "MYID").decode())
    return source, target
