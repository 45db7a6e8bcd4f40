"""Refreshing, signing out and ending sessions."""

from uuid import uuid4

import pytest

from services.auth.domain import refresh_tokens
from services.auth.domain.errors import SessionEnded, UnknownSession
from tests.unit.auth.parts import HERE, LIFETIMES, Parts

EMAIL, PASSWORD = "minji@example.com", "good sentence"


async def test_a_refresh_carries_todays_roles() -> None:
    parts = Parts()
    await parts.account()
    pair = await parts.login(EMAIL, PASSWORD, HERE)
    await parts.accounts.add_role(EMAIL, "admin")
    await parts.session_service.refresh(pair.refresh)
    assert parts.signer.signed[-1]["roles"] == ["admin", "member"]


async def test_lifetimes_shrink_towards_the_sessions_absolute_end() -> None:
    parts = Parts()
    await parts.account()
    pair = await parts.login(EMAIL, PASSWORD, HERE)
    assert pair.refresh_lifetime == LIFETIMES.idle
    for _ in range(3):
        parts.now += 900
        pair = await parts.session_service.refresh(pair.refresh)
    assert (pair.access_lifetime, pair.refresh_lifetime) == (300, 300)
    parts.now += 300
    with pytest.raises(SessionEnded):
        await parts.session_service.refresh(pair.refresh)


async def test_a_reused_token_ends_the_session_and_is_recorded() -> None:
    parts = Parts()
    id_ = await parts.account()
    first = await parts.login(EMAIL, PASSWORD, HERE)
    second = await parts.session_service.refresh(first.refresh)
    parts.now += 11
    for text in (first.refresh, second.refresh):
        with pytest.raises(SessionEnded):
            await parts.session_service.refresh(text)
    assert parts.events.names.count("refresh_token_reused") == 1
    assert [sid for sid, _ in parts.revocations.told] == [
        event["session"] for name, event in parts.events.recorded if name == "refresh_token_reused"
    ]
    assert await parts.sessions.of(id_, parts.now) == []


async def test_a_token_made_up_around_a_session_does_not_end_it() -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.login(EMAIL, PASSWORD, HERE)
    [session] = await parts.sessions.of(id_, parts.now)
    made_up = refresh_tokens.issue(session.id, b"x" * 32, b"not the key").text
    with pytest.raises(SessionEnded):
        await parts.session_service.refresh(made_up)
    await parts.session_service.sign_out(None, made_up)
    assert await parts.sessions.find(session.id, parts.now) == session


@pytest.mark.parametrize("text", ["", "x", "é" * 86, "A" * 86])
async def test_what_is_no_refresh_token_is_refused(text: str) -> None:
    with pytest.raises(SessionEnded):
        await Parts().session_service.refresh(text)


async def test_a_disabled_account_is_not_refreshed_and_loses_its_session() -> None:
    parts = Parts()
    id_ = await parts.account()
    pair = await parts.login(EMAIL, PASSWORD, HERE)
    await parts.accounts.set_status(id_, "disabled")
    with pytest.raises(SessionEnded):
        await parts.session_service.refresh(pair.refresh)
    assert len(parts.revocations.told) == 1


async def test_a_used_refresh_token_still_signs_its_session_out() -> None:
    parts = Parts()
    id_ = await parts.account()
    first = await parts.login(EMAIL, PASSWORD, HERE)
    await parts.session_service.refresh(first.refresh)
    await parts.session_service.sign_out(None, first.refresh)
    assert await parts.sessions.of(id_, parts.now) == []
    assert parts.events.names.count("logout") == 1


async def test_only_ones_own_sessions_can_be_ended() -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.login(EMAIL, PASSWORD, HERE)
    [session] = await parts.sessions.of(id_, parts.now)
    with pytest.raises(UnknownSession):
        await parts.session_service.end(uuid4(), session.id)
    await parts.session_service.end(id_, session.id)
    with pytest.raises(UnknownSession):
        await parts.session_service.end(id_, session.id)
