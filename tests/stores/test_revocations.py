"""What the watch knows of a real Redis stream, through everything that can happen to it."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.access_tokens import revocations
from common.access_tokens.revocations import Revocations, RevocationSource, RevocationWatch, whole_in
from common.redis_link import RedisLink, StoreUnavailableError
from tests.revocations import mark_whole
from tests.stores.own_redis import OwnRedis
from tests.waiting import WITHIN, until

STREAM = "auth:revocations"


async def until_more_was_heard(watch: RevocationWatch, source: RevocationSource) -> None:
    """Until Redis has had something to say, or nothing new, for longer than the silence; and never fell silent."""
    assert watch._heard is not None
    known = watch._heard + source.silence
    missed = 0  # looks in a row, not seconds: a machine that stands still looks at nothing
    while watch._heard is not None and watch._heard <= known:
        await asyncio.sleep(0.01)
        missed = 0 if watch.current() else missed + 1
        assert missed < 100, "more than a second beyond the silence"
    assert watch.current()


async def revoke(link: RedisLink, session: str, entry: bytes = b"*") -> None:
    exp = str(int(time.time()) + 600).encode()
    await link.command(b"XADD", STREAM.encode(), entry, b"sid", session.encode(), b"exp", exp)


def revoke_while_this_stands_still(own_redis: OwnRedis, session: str) -> None:
    """From elsewhere: meanwhile nothing of the test's own event loop runs."""

    async def elsewhere() -> None:
        async with RedisLink(own_redis.url, WITHIN) as link:
            await revoke(link, session)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, elsewhere()).result()


@pytest.fixture
async def link(own_redis: OwnRedis) -> AsyncIterator[RedisLink]:
    async with RedisLink(own_redis.url, 2.0) as link:
        await mark_whole(link)
        yield link


@pytest.fixture
def source(own_redis: OwnRedis, link: RedisLink) -> RevocationSource:
    return RevocationSource(own_redis.url, STREAM, 2.0)


async def test_nothing_is_trusted_before_the_stream_was_read(source: RevocationSource) -> None:
    watch = RevocationWatch(source)
    assert not watch.current()
    async with watch:
        assert not watch.current()
        assert await watch.settle(WITHIN)


async def test_what_was_revoked_before_the_start_is_known_when_it_is_current(
    source: RevocationSource, link: RedisLink
) -> None:
    for number in range(2500):
        await revoke(link, f"s{number}")
    async with RevocationWatch(source) as watch:
        assert await watch.settle(WITHIN)
        assert len(watch.revoked) == 2500
        assert "s0" in watch.revoked
        assert "s2499" in watch.revoked


async def test_each_revocation_is_learnt_from_the_stream(source: RevocationSource, link: RedisLink) -> None:
    """How soon is measured by bench/revocation.py."""
    async with RevocationWatch(source) as watch:
        await watch.settle(WITHIN)
        for session in (f"s{number}" for number in range(20)):
            await revoke(link, session)
            await until(lambda session=session: session in watch.revoked)  # type: ignore[misc]


async def test_an_idle_stream_stays_current(source: RevocationSource) -> None:
    async with RevocationWatch(source) as watch:
        await watch.settle(WITHIN)
        await until_more_was_heard(watch, source)


async def test_whoever_waits_after_one_lost_answer_is_not_refused_before_redis_was_asked_again(
    source: RevocationSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the machine stood still, and Redis with it: the time of the read is over at once, without an answer."""
    ahead, lost = 0.0, 0

    class LosesAnAnswer(RedisLink):
        async def command(self, *command: bytes | int, near: bytes | None = None) -> object:
            nonlocal lost
            if ahead and not lost:
                lost += 1
                raise StoreUnavailableError("no answer in time")
            return await super().command(*command, near=near)

    monkeypatch.setattr(revocations, "RedisLink", LosesAnAnswer)
    async with RevocationWatch(source, monotonic=lambda: time.monotonic() + ahead) as watch:
        await until(watch.current)
        ahead = 3600.0
        assert not watch.current()
        assert await watch.settle(WITHIN)
        assert lost == 1


async def test_an_answer_that_lay_here_while_the_process_stood_still_is_not_believed(
    source: RevocationSource, own_redis: OwnRedis
) -> None:
    ahead = 0.0
    async with RevocationWatch(source, monotonic=lambda: time.monotonic() + ahead) as watch:
        await until(watch.current)
        # The read that waits is answered that there is nothing new, and the answer lies here unread.
        time.sleep(2 * watch._block / 1000)
        revoke_while_this_stands_still(own_redis, "ended meanwhile")
        ahead = 3600.0
        assert not watch.current()
        assert await watch.settle(WITHIN)
        assert "ended meanwhile" in watch.revoked


async def test_more_than_one_answer_holds_is_read_before_it_is_current(
    source: RevocationSource, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = 0.0
    async with RevocationWatch(source, monotonic=lambda: time.monotonic() + ahead) as watch:
        await until(watch.current)
        monkeypatch.setattr(revocations, "READ_AT_ONCE", 2)
        time.sleep(2 * watch._block / 1000)
        for number in range(7):
            revoke_while_this_stands_still(own_redis, f"s{number}")
        ahead = 3600.0
        assert await watch.settle(WITHIN)
        assert len(watch.revoked) == 7


async def test_a_redis_that_dies_is_down_and_what_is_known_stays(
    source: RevocationSource, link: RedisLink, own_redis: OwnRedis
) -> None:
    await revoke(link, "known")
    async with RevocationWatch(source) as watch:
        await watch.settle(WITHIN)
        own_redis.kill()
        await until(lambda: not watch.current())
        assert not await watch.settle(0.3)
        assert "known" in watch.revoked


async def test_a_redis_that_hangs_is_down_after_the_silence(
    source: RevocationSource, own_redis: OwnRedis
) -> None:
    async with RevocationWatch(source) as watch:
        await watch.settle(WITHIN)
        own_redis.pause()
        async with asyncio.timeout(source.silence + 10.0):
            await until(lambda: not watch.current())
        own_redis.resume()
        await until(watch.current)


async def test_after_a_restart_that_lost_the_stream_old_and_new_revocations_are_known(
    source: RevocationSource, link: RedisLink, own_redis: OwnRedis
) -> None:
    await revoke(link, "before")
    async with RevocationWatch(source) as watch:
        await watch.settle(WITHIN)
        own_redis.kill()
        own_redis.start()
        await revoke(link, "after", b"1-1")  # an older clock: lower than every id seen so far
        await mark_whole(link)
        await until(lambda: "after" in watch.revoked)
        assert "before" in watch.revoked
        assert await watch.settle(WITHIN)


async def test_a_redis_that_came_back_is_not_believed_before_auth_has_rebuilt_it(
    source: RevocationSource, link: RedisLink, own_redis: OwnRedis
) -> None:
    async with RevocationWatch(source) as watch:
        await until(watch.current)
        mark = await link.command(b"GET", b"auth:revocations:whole-in")
        own_redis.kill()
        own_redis.start()
        # Its disk had the mark, and not what was revoked last: the mark is of the process before.
        await link.command(b"SET", b"auth:revocations:whole-in", mark)
        await until(lambda: not watch.current())
        assert not await watch.settle(0.5)
        await revoke(link, "lost and rebuilt")
        await mark_whole(link)
        await until(watch.current)
        assert "lost and rebuilt" in watch.revoked


async def test_whoever_waits_while_auth_rebuilds_goes_on_when_it_has(
    source: RevocationSource, link: RedisLink
) -> None:
    await link.command(b"DEL", b"auth:revocations:whole-in")
    async with RevocationWatch(source) as watch:
        settled = asyncio.create_task(watch.settle(WITHIN))
        await asyncio.sleep(0)
        assert not watch.current()
        await mark_whole(link)
        assert await settled


async def test_a_redis_that_was_emptied_is_not_believed(source: RevocationSource, link: RedisLink) -> None:
    async with RevocationWatch(source) as watch:
        await until(watch.current)
        await link.command(b"FLUSHALL")
        await until(lambda: not watch.current())


@pytest.mark.parametrize("mark", [None, b"", b"another", b"run1 "])
def test_a_mark_of_another_process_is_none(mark: bytes | None) -> None:
    assert not whole_in(mark, b"# Server\r\nredis_version:7.2.4\r\nrun_id:run1\r\n")


@pytest.mark.parametrize("info", [b"", b"# Server\r\n", b"# Server\r\nrun_id:\r\n", b"run_id"])
def test_a_redis_that_does_not_name_its_process_is_never_whole(info: bytes) -> None:
    assert not whole_in(b"", info)
    assert not whole_in(None, info)


def test_the_mark_of_this_process_is_believed() -> None:
    assert whole_in(b"run1", b"# Server\r\nredis_version:7.2.4\r\nrun_id:run1\r\n")


async def test_a_stream_that_goes_back_in_time_is_read_again(
    source: RevocationSource, link: RedisLink
) -> None:
    await revoke(link, "before")
    async with RevocationWatch(source) as watch:
        await watch.settle(WITHIN)
        await link.command(b"DEL", STREAM.encode())
        await revoke(link, "after", b"1-1")
        await until(lambda: "after" in watch.revoked)
        assert "before" in watch.revoked


async def test_a_stream_trimmed_to_nothing_is_no_news(source: RevocationSource, link: RedisLink) -> None:
    await revoke(link, "before")
    async with RevocationWatch(source) as watch:
        await watch.settle(WITHIN)
        await link.command(b"XTRIM", STREAM.encode(), b"MAXLEN", 0)
        await until_more_was_heard(watch, source)
        await revoke(link, "after")
        await until(lambda: "after" in watch.revoked)


async def test_a_clock_that_was_ahead_for_a_while_makes_nothing_forgotten(
    source: RevocationSource, link: RedisLink
) -> None:
    """By a clock that is an hour ahead every token has expired, and every session's end is over."""
    ahead = 3600.0
    await revoke(link, "before")
    async with RevocationWatch(source, clock=lambda: time.time() + ahead) as watch:
        await watch.settle(WITHIN)
        assert "before" not in watch.revoked
        ahead = 0.0
        await until(lambda: "before" in watch.revoked and watch.current())


async def test_an_entry_that_makes_no_sense_does_not_hide_the_next(
    source: RevocationSource, link: RedisLink
) -> None:
    stream = STREAM.encode()
    await link.command(b"XADD", stream, b"*", b"sid", b"x")
    await link.command(b"XADD", stream, b"*", b"sid", b"x", b"exp", b"soon")
    await link.command(b"XADD", stream, b"*", b"sid", b"\xff", b"exp", b"9999999999")
    await revoke(link, "good")
    async with RevocationWatch(source) as watch:
        assert await watch.settle(WITHIN)
        assert "good" in watch.revoked


async def test_a_key_that_is_no_stream_is_a_store_that_is_down(
    source: RevocationSource, link: RedisLink
) -> None:
    await link.command(b"SET", STREAM.encode(), b"x")
    async with RevocationWatch(source) as watch:
        assert not await watch.settle(1.0)


async def test_a_reply_that_nobody_expected_does_not_end_the_watch(
    source: RevocationSource, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = revocations._entries

    def confused(reply: object) -> object:
        monkeypatch.setattr(revocations, "_entries", read)
        raise TypeError(reply)

    monkeypatch.setattr(revocations, "_entries", confused)
    await revoke(link, "s1")
    async with RevocationWatch(source) as watch:
        await until(watch.current)
        assert "s1" in watch.revoked


async def test_more_sessions_than_fit_in_memory_are_a_store_that_is_down(
    source: RevocationSource, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "MOST_SESSIONS", 2)
    for number in range(3):
        await revoke(link, f"s{number}")
    async with RevocationWatch(source) as watch:
        assert not await watch.settle(1.0)


def test_a_revocation_is_forgotten_when_its_last_token_has_expired() -> None:
    revoked = Revocations()
    revoked.learn({b"sid": b"a", b"exp": b"100"}, now=50)
    revoked.learn({b"sid": b"b", b"exp": b"200"}, now=50)
    revoked.learn({b"sid": b"c", b"exp": b"40"}, now=50)
    revoked.prune(now=100)
    assert ("a" in revoked, "b" in revoked, "c" in revoked) == (False, True, False)


def test_an_earlier_expiry_never_shortens_what_is_known() -> None:
    revoked = Revocations()
    revoked.learn({b"sid": b"a", b"exp": b"200"}, now=50)
    revoked.learn({b"sid": b"a", b"exp": b"100"}, now=50)
    revoked.prune(now=150)
    assert "a" in revoked
