"""One suite for both session stores: what the port promises, under real concurrency."""

import asyncio
import os
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from services.auth.adapters.sessions_memory import MemorySessions
from services.auth.adapters.sessions_redis import RedisSessions
from services.auth.application.ports import Reused, Rotated, Sessions
from services.auth.domain import refresh_tokens
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Lifetimes, Session
from services.chassis.redis import Redis

LIFETIMES = Lifetimes(access=600, idle=1000, absolute=3000, grace=10)
KEY = b"k" * 32
NOW = 1_800_000_000.25


@dataclass
class Store:
    sessions: Sessions
    redis: Redis | None

    async def revoked(self) -> list[tuple[str, int]]:
        """What the revocation log says: session and time, oldest first."""
        if self.redis is None:
            assert isinstance(self.sessions, MemorySessions)
            return [(str(sid), exp) for sid, exp in self.sessions.revoked]
        entries = await self.redis.client.xrange("auth:revocations")
        fields = [entry.field_values for entry in entries]
        return [(_text(one[b"sid"]), int(one[b"exp"])) for one in fields]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, redis: Redis) -> Store:
    if request.param == "memory":
        return Store(MemorySessions(LIFETIMES, most=3), None)
    return Store(RedisSessions(redis.client, LIFETIMES, most=3), redis)


def token_of(session: UUID) -> RefreshToken:
    return refresh_tokens.issue(session, os.urandom(32), KEY)


def read(text: str) -> RefreshToken:
    token = refresh_tokens.read(text, KEY)
    assert token is not None
    assert token.genuine
    return token


async def opened(store: Store, account: UUID | None = None, now: float = NOW) -> tuple[Session, RefreshToken]:
    session = Session.opened(uuid4(), account or uuid4(), device="Firefox", address="203.0.113.9", now=now)
    token = token_of(session.id)
    await store.sessions.open(session, token)
    return session, token


async def rotated(store: Store, presented: RefreshToken, now: float) -> RefreshToken:
    outcome = await store.sessions.rotate(presented, token_of(presented.session), now)
    assert isinstance(outcome, Rotated)
    return read(outcome.token)


async def test_an_opened_session_is_found_as_it_was(store: Store) -> None:
    session, _ = await opened(store)
    assert await store.sessions.find(session.id, NOW) == session
    assert await store.sessions.of(session.account, NOW) == [session]


async def test_a_rotation_moves_the_session_to_the_successor(store: Store) -> None:
    session, first = await opened(store)
    second = await rotated(store, first, NOW + 100)
    third = await rotated(store, second, NOW + 200)
    assert len({first.text, second.text, third.text}) == 3
    found = await store.sessions.find(session.id, NOW + 200)
    assert found is not None
    assert found.last_seen_at == NOW + 200


async def test_a_repeat_within_the_grace_gets_the_same_successor(store: Store) -> None:
    _, first = await opened(store)
    second = await rotated(store, first, NOW)
    assert await rotated(store, first, NOW + 9.9) == second
    assert await store.revoked() == []


async def test_a_repeat_within_the_grace_is_served_even_when_the_successor_moved_on(store: Store) -> None:
    _, first = await opened(store)
    second = await rotated(store, first, NOW)
    third = await rotated(store, second, NOW + 1)
    assert await rotated(store, first, NOW + 2) == second
    assert await rotated(store, second, NOW + 3) == third


async def test_a_repeat_after_the_grace_ends_the_session_and_says_so(store: Store) -> None:
    session, first = await opened(store)
    second = await rotated(store, first, NOW)
    late = NOW + 10.1
    assert await store.sessions.rotate(first, token_of(session.id), late) == Reused(session.account)
    assert await store.sessions.rotate(second, token_of(session.id), late) is None
    assert await store.sessions.find(session.id, late) is None
    assert await store.revoked() == [(str(session.id), LIFETIMES.revoked_until(late))]


async def test_an_old_token_replayed_a_thousand_times_revokes_once_and_is_always_refused(
    store: Store,
) -> None:
    session, first = await opened(store)
    await rotated(store, first, NOW)
    late = NOW + 60
    outcomes = await asyncio.gather(
        *(store.sessions.rotate(first, token_of(session.id), late) for _ in range(1000))
    )
    assert sum(isinstance(outcome, Reused) for outcome in outcomes) == 1
    assert sum(outcome is None for outcome in outcomes) == 999
    assert len(await store.revoked()) == 1


async def test_fifty_refreshes_of_one_token_at_once_agree_on_one_successor(store: Store) -> None:
    session, first = await opened(store)
    outcomes = await asyncio.gather(
        *(store.sessions.rotate(first, token_of(session.id), NOW + 5) for _ in range(50))
    )
    texts = {outcome.token for outcome in outcomes if isinstance(outcome, Rotated)}
    assert len(outcomes) == 50
    assert all(isinstance(outcome, Rotated) for outcome in outcomes)
    assert len(texts) == 1
    assert await store.revoked() == []
    await rotated(store, read(texts.pop()), NOW + 6)


async def test_a_session_idles_out(store: Store) -> None:
    session, first = await opened(store)
    assert await store.sessions.find(session.id, NOW + 999) is not None
    assert await store.sessions.find(session.id, NOW + 1000) is None
    assert await store.sessions.of(session.account, NOW + 1000) == []
    assert await store.sessions.rotate(first, token_of(session.id), NOW + 1000) is None


async def test_no_refreshing_carries_a_session_over_its_absolute_end(store: Store) -> None:
    session, token = await opened(store)
    for step in range(1, 4):
        token = await rotated(store, token, NOW + step * 900)
    assert await store.sessions.find(session.id, NOW + 2999) is not None
    assert await store.sessions.find(session.id, NOW + 3000) is None
    assert await store.sessions.rotate(token, token_of(session.id), NOW + 3000) is None


async def test_ending_is_told_once_and_outlives_every_access_token(store: Store) -> None:
    session, first = await opened(store)
    answers = await asyncio.gather(*(store.sessions.end(session.id, NOW) for _ in range(10)))
    assert sorted(map(str, answers)) == sorted([str(session.account)] + ["None"] * 9)
    [(sid, exp)] = await store.revoked()
    assert sid == str(session.id)
    assert exp > NOW + LIFETIMES.access
    assert await store.sessions.rotate(first, token_of(session.id), NOW) is None


async def test_ending_all_spares_the_one_and_other_accounts(store: Store) -> None:
    account = uuid4()
    mine = [(await opened(store, account))[0] for _ in range(3)]
    others, _ = await opened(store)
    assert await store.sessions.end_all(account, NOW, except_for=mine[1].id) == 2
    assert await store.sessions.of(account, NOW) == [mine[1]]
    assert await store.sessions.find(others.id, NOW) == others
    assert {sid for sid, _ in await store.revoked()} == {str(mine[0].id), str(mine[2].id)}
    assert await store.sessions.end_all(account, NOW) == 1


async def test_the_session_that_would_end_first_makes_room(store: Store) -> None:
    account = uuid4()
    sessions = [(await opened(store, account, NOW + age))[0] for age in range(5)]
    living = await store.sessions.of(account, NOW + 5)
    assert living == [sessions[4], sessions[3], sessions[2]]
    assert [sid for sid, _ in await store.revoked()] == [str(sessions[0].id), str(sessions[1].id)]


async def test_redis_never_holds_a_token_in_clear(redis: Redis) -> None:
    store = Store(RedisSessions(redis.client, LIFETIMES), redis)
    _, first = await opened(store)
    second = await rotated(store, first, NOW)
    keys = await redis.client.keys("*")
    assert len(keys) == 3
    for key in keys:
        held = await redis.client.dump(key)
        for token in (first, second):
            assert token.text.encode() not in bytes(key) + bytes(held)


async def test_the_revocation_log_forgets_what_no_token_outlives(redis: Redis) -> None:
    store = Store(RedisSessions(redis.client, LIFETIMES), redis)
    await redis.client.xadd("auth:revocations", {"sid": "long ago", "exp": "1"}, identifier=b"1-1")
    session, _ = await opened(store)
    await store.sessions.end(session.id, NOW)
    assert [sid for sid, _ in await store.revoked()] == [str(session.id)]
