"""One suite for both session stores: what the port promises, under real concurrency."""

import asyncio
import os
from uuid import UUID, uuid4

import pytest

from services.auth.adapters.sessions_memory import InMemorySessions
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.application.ports import Ended, Reused, Rotated, Sessions
from services.auth.domain import refresh_tokens
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Lifetimes, Session
from services.chassis.postgres import Database

LIFETIMES = Lifetimes(access=600, idle=1000, absolute=3000, grace=10)
KEY = b"k" * 32
NOW = 1_800_000_000.25


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, database: Database) -> Sessions:
    if request.param == "memory":
        return InMemorySessions(LIFETIMES, most=3)
    return PostgresSessions(database, LIFETIMES, most=3)


def token_of(session: UUID) -> RefreshToken:
    return refresh_tokens.issue(session, os.urandom(32), KEY)


def read(text: str) -> RefreshToken:
    token = refresh_tokens.read(text, KEY)
    assert token is not None
    assert token.genuine
    return token


async def opened(
    store: Sessions, account: UUID | None = None, now: float = NOW
) -> tuple[Session, RefreshToken]:
    session = Session.opened(uuid4(), account or uuid4(), device="Firefox", address="203.0.113.9", now=now)
    token = token_of(session.id)
    await store.open(session, token)
    return session, token


async def rotated(store: Sessions, presented: RefreshToken, now: float) -> RefreshToken:
    outcome = await store.rotate(presented, token_of(presented.session), now)
    assert isinstance(outcome, Rotated)
    return read(outcome.token)


async def test_an_opened_session_is_found_as_it_was(store: Sessions) -> None:
    session, _ = await opened(store)
    assert await store.find(session.id, NOW) == session
    assert await store.of(session.account, NOW) == [session]


async def test_a_rotation_moves_the_session_to_the_successor(store: Sessions) -> None:
    session, first = await opened(store)
    second = await rotated(store, first, NOW + 100)
    third = await rotated(store, second, NOW + 200)
    assert len({first.text, second.text, third.text}) == 3
    found = await store.find(session.id, NOW + 200)
    assert found is not None
    assert found.last_seen_at == NOW + 200


async def test_a_repeat_within_the_grace_gets_the_same_successor(store: Sessions) -> None:
    _, first = await opened(store)
    second = await rotated(store, first, NOW)
    assert await rotated(store, first, NOW + 9.9) == second


async def test_a_repeat_within_the_grace_is_served_even_when_the_successor_moved_on(store: Sessions) -> None:
    _, first = await opened(store)
    second = await rotated(store, first, NOW)
    third = await rotated(store, second, NOW + 1)
    assert await rotated(store, first, NOW + 2) == second
    assert await rotated(store, second, NOW + 3) == third


async def test_a_repeat_after_the_grace_ends_the_session_and_says_so(store: Sessions) -> None:
    session, first = await opened(store)
    second = await rotated(store, first, NOW)
    late = NOW + 10.1
    ended = Ended(session.account, (session.id,), 1)
    assert await store.rotate(first, token_of(session.id), late) == Reused(ended)
    assert await store.rotate(second, token_of(session.id), late) is None
    assert await store.find(session.id, late) is None


async def test_an_old_token_replayed_a_thousand_times_revokes_once_and_is_always_refused(
    store: Sessions,
) -> None:
    session, first = await opened(store)
    await rotated(store, first, NOW)
    late = NOW + 60
    outcomes = await asyncio.gather(*(store.rotate(first, token_of(session.id), late) for _ in range(1000)))
    assert sum(isinstance(outcome, Reused) for outcome in outcomes) == 1
    assert sum(outcome is None for outcome in outcomes) == 999


async def test_fifty_refreshes_of_one_token_at_once_agree_on_one_successor(store: Sessions) -> None:
    session, first = await opened(store)
    outcomes = await asyncio.gather(*(store.rotate(first, token_of(session.id), NOW + 5) for _ in range(50)))
    texts = {outcome.token for outcome in outcomes if isinstance(outcome, Rotated)}
    assert len(outcomes) == 50
    assert all(isinstance(outcome, Rotated) for outcome in outcomes)
    assert len(texts) == 1
    await rotated(store, read(texts.pop()), NOW + 6)


async def test_a_session_idles_out(store: Sessions) -> None:
    session, first = await opened(store)
    assert await store.find(session.id, NOW + 999) is not None
    assert await store.find(session.id, NOW + 1000) is None
    assert await store.of(session.account, NOW + 1000) == []
    assert await store.rotate(first, token_of(session.id), NOW + 1000) is None


async def test_no_refreshing_carries_a_session_over_its_absolute_end(store: Sessions) -> None:
    session, token = await opened(store)
    for step in range(1, 4):
        token = await rotated(store, token, NOW + step * 900)
    assert await store.find(session.id, NOW + 2999) is not None
    assert await store.find(session.id, NOW + 3000) is None
    assert await store.rotate(token, token_of(session.id), NOW + 3000) is None


async def test_of_many_who_end_a_session_one_has_ended_it(store: Sessions) -> None:
    session, first = await opened(store)
    answers = await asyncio.gather(*(store.end(session.id, NOW) for _ in range(10)))
    assert sum(answer.count for answer in answers) == 1
    assert {answer.account for answer in answers} == {session.account, None}
    assert {id_ for answer in answers for id_ in answer.sessions} == {session.id}
    assert await store.rotate(first, token_of(session.id), NOW) is None


async def test_what_nobody_has_opened_or_is_over_by_itself_is_not_ended(store: Sessions) -> None:
    session, _ = await opened(store)
    assert await store.end(uuid4(), NOW) == Ended()
    assert await store.end(session.id, NOW + 1000) == Ended()


async def test_ending_all_spares_the_one_and_other_accounts(store: Sessions) -> None:
    account = uuid4()
    mine = [(await opened(store, account))[0] for _ in range(3)]
    others, _ = await opened(store)
    ended = await store.end_all(account, NOW, except_for=mine[1].id)
    assert (ended.account, ended.count, set(ended.sessions)) == (account, 2, {mine[0].id, mine[2].id})
    assert await store.of(account, NOW) == [mine[1]]
    assert await store.find(others.id, NOW) == others
    assert (await store.end_all(account, NOW)).count == 1


async def test_the_session_that_would_end_first_makes_room(store: Sessions) -> None:
    account = uuid4()
    sessions: list[Session] = []
    ended: list[UUID] = []
    for age in range(5):
        session = Session.opened(uuid4(), account, device="", address="", now=NOW + age)
        sessions.append(session)
        ended += (await store.open(session, token_of(session.id))).sessions
    living = await store.of(account, NOW + 5)
    assert living == [sessions[4], sessions[3], sessions[2]]
    assert ended == [sessions[0].id, sessions[1].id]


async def test_an_end_that_was_not_told_is_told_to_whoever_asks_again(database: Database) -> None:
    store = PostgresSessions(database, LIFETIMES)
    account = uuid4()
    session, _ = await opened(store, account)
    await store.end(session.id, NOW)
    untold = Ended(None, (session.id,), 0)
    assert await store.end(session.id, NOW + 1) == untold
    assert await store.end_all(account, NOW + 1) == untold
    assert await store.untold(NOW + 2, 10) == [(session.id, NOW)]
    await store.mark_told([session.id])
    assert await store.end(session.id, NOW + 3) == Ended()
    assert await store.untold(NOW + 2, 10) == []


async def test_the_store_never_holds_a_token_in_clear(database: Database) -> None:
    store = PostgresSessions(database, LIFETIMES)
    session, first = await opened(store)
    second = await rotated(store, first, NOW)
    rows = await database.fetch("SELECT session::text FROM session WHERE id = $1", session.id)
    rows += await database.fetch("SELECT former_token::text FROM former_token WHERE session = $1", session.id)
    assert len(rows) == 2
    for row in rows:
        for token in (first, second):
            assert token.text not in str(row)
            assert token.text.encode().hex() not in str(row)


async def test_what_no_token_can_name_any_more_is_swept_and_nothing_else(database: Database) -> None:
    store = PostgresSessions(database, LIFETIMES)
    living, first = await opened(store)
    await rotated(store, first, NOW)
    ended, old = (await opened(store))[0], (await opened(store))[0]
    await store.end(ended.id, NOW + 800)
    await store.end(old.id, NOW)
    await store.sweep(NOW + 900, 1000)
    kept = {row["id"] for row in await database.fetch("SELECT id FROM session")}
    assert {living.id, ended.id} <= kept
    assert old.id not in kept
    await store.sweep(NOW + 5000, 1000)
    assert living.id not in {row["id"] for row in await database.fetch("SELECT id FROM session")}
