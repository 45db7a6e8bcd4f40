"""Changing a password and resetting a forgotten one."""

from contextlib import suppress
from typing import Any

import pytest

from services.auth.application.signing_in import Client
from services.auth.domain.errors import (
    InvalidLink,
    TryLater,
    UnacceptablePassword,
    WrongCredentials,
    WrongPassword,
)
from tests.unit.auth.parts import HERE, Parts

EMAIL, PASSWORD, NEW = "minji@example.com", "good sentence", "another sentence"


async def forgotten(parts: Parts) -> str:
    await parts.password_care.forgot(EMAIL, HERE)
    kind, _, secret = parts.mail.sent[-1]
    assert kind == "password_reset"
    return secret


async def test_guessing_the_current_password_with_a_stolen_token_is_slowed_down() -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.sign_in(EMAIL, PASSWORD, HERE)
    [session] = await parts.sessions.of(id_, parts.now)
    for _ in range(4):
        with pytest.raises(WrongPassword):
            await parts.password_care.change(id_, session.id, "wrong", NEW, HERE)
    with pytest.raises(TryLater):
        await parts.password_care.change(id_, session.id, PASSWORD, NEW, HERE)


async def test_a_change_tells_the_owner_by_mail() -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.sign_in(EMAIL, PASSWORD, HERE)
    [session] = await parts.sessions.of(id_, parts.now)
    await parts.password_care.change(id_, session.id, PASSWORD, NEW, HERE)
    assert parts.mail.sent == [("password_changed", EMAIL, "")]


async def down(*_: Any, **__: Any) -> int:
    raise ConnectionError


async def test_while_sessions_cannot_be_ended_no_password_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.sign_in(EMAIL, PASSWORD, HERE)
    [session] = await parts.sessions.of(id_, parts.now)
    secret = await forgotten(parts)
    with monkeypatch.context() as outage:
        outage.setattr(parts.sessions, "end_all", down)
        with pytest.raises(ConnectionError):
            await parts.password_care.change(id_, session.id, PASSWORD, NEW, HERE)
        with pytest.raises(ConnectionError):
            await parts.password_care.reset(secret, NEW, HERE)
    await parts.sign_in(EMAIL, PASSWORD, HERE)


@pytest.mark.parametrize("way", ["change", "reset"])
async def test_a_password_that_was_stored_leaves_no_other_session_even_if_auth_dies_at_that_moment(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.sign_in(EMAIL, PASSWORD, HERE)
    [here] = await parts.sessions.of(id_, parts.now)
    await parts.sign_in(EMAIL, PASSWORD, HERE)
    stores = "replace_hash" if way == "change" else "recover"
    store = getattr(parts.accounts, stores)

    async def die_after(*given: Any, **named: Any) -> bool:
        await store(*given, **named)
        raise ConnectionError

    monkeypatch.setattr(parts.accounts, stores, die_after)
    with pytest.raises(ConnectionError):
        if way == "change":
            await parts.password_care.change(id_, here.id, PASSWORD, NEW, HERE)
        else:
            await parts.password_care.reset(await forgotten(parts), NEW, HERE)
    assert await parts.sessions.of(id_, parts.now) == ([here] if way == "change" else [])


async def test_a_session_opened_with_the_old_password_during_the_change_is_ended_and_counted_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.sign_in(EMAIL, PASSWORD, HERE)
    [here] = await parts.sessions.of(id_, parts.now)
    await parts.sign_in(EMAIL, PASSWORD, HERE)
    store = parts.accounts.replace_hash

    async def overtaken(*given: Any, **named: Any) -> bool:
        await parts.sign_in(EMAIL, PASSWORD, HERE)
        return await store(*given, **named)

    monkeypatch.setattr(parts.accounts, "replace_hash", overtaken)
    await parts.password_care.change(id_, here.id, PASSWORD, NEW, HERE)
    assert await parts.sessions.of(id_, parts.now) == [here]
    assert parts.events.recorded[-1][1]["sessions"] == 2


async def test_the_owner_hears_of_a_change_even_if_the_last_sessions_could_not_be_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.sign_in(EMAIL, PASSWORD, HERE)
    [here] = await parts.sessions.of(id_, parts.now)
    store = parts.accounts.replace_hash

    async def outage_after(*given: Any, **named: Any) -> bool:
        monkeypatch.setattr(parts.sessions, "end_all", down)
        return await store(*given, **named)

    monkeypatch.setattr(parts.accounts, "replace_hash", outage_after)
    with pytest.raises(ConnectionError):
        await parts.password_care.change(id_, here.id, PASSWORD, NEW, HERE)
    assert parts.events.names[-1] == "password_changed"
    assert parts.mail.sent == [("password_changed", EMAIL, "")]


async def test_nobody_is_mailed_about_an_account_that_does_not_exist_or_is_disabled() -> None:
    parts = Parts()
    await parts.account(status="disabled")
    await parts.password_care.forgot(EMAIL, HERE)
    await parts.password_care.forgot("nobody@example.com", HERE)
    # An order is written each time: whoever asks must not see by the time it takes whether there is an account.
    assert [order.kind for order in parts.mail.ordered] == ["password_reset"] * 2
    assert parts.mail.sent == []


async def test_a_password_that_was_not_changed_after_all_is_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def another_came_first(*_: Any) -> bool:
        return False

    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    monkeypatch.setattr(parts.accounts, "recover", another_came_first)
    with pytest.raises(InvalidLink):
        await parts.password_care.reset(secret, NEW, HERE)
    assert [order.kind for order in parts.mail.ordered] == ["password_reset"]


async def test_a_refused_password_leaves_the_link_good() -> None:
    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    with pytest.raises(UnacceptablePassword):
        await parts.password_care.reset(secret, "short", HERE)
    await parts.password_care.reset(secret, NEW, HERE)
    await parts.sign_in(EMAIL, NEW, HERE)


async def test_the_owners_own_words_are_refused_by_a_reset_too() -> None:
    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    with pytest.raises(UnacceptablePassword):
        await parts.password_care.reset(secret, EMAIL, HERE)
    await parts.password_care.reset(secret, NEW, HERE)


async def test_a_link_that_opens_nothing_tells_nothing_about_passwords() -> None:
    with pytest.raises(InvalidLink):
        await Parts().password_care.reset("somebody's invention", "short", HERE)


async def test_whoever_reset_the_password_does_not_wait_for_what_strangers_guessed() -> None:
    parts = Parts()
    await parts.account()
    for number in range(8):
        with suppress(WrongCredentials, TryLater):
            await parts.sign_in(EMAIL, "wrong", Client(address=f"198.51.100.{number}", device="a stranger's"))
    with pytest.raises(TryLater):
        await parts.sign_in(EMAIL, PASSWORD, HERE)
    await parts.password_care.reset(await forgotten(parts), NEW, HERE)
    await parts.sign_in(EMAIL, NEW, HERE)


async def test_a_link_works_once() -> None:
    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    await parts.password_care.reset(secret, NEW, HERE)
    with pytest.raises(InvalidLink):
        await parts.password_care.reset(secret, "yet another one", HERE)


async def test_the_audit_log_holds_no_link() -> None:
    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    await parts.password_care.reset(secret, NEW, HERE)
    assert parts.events.names == ["password_reset_requested", "password_reset"]
    assert secret not in repr(parts.events.recorded)
    assert NEW not in repr(parts.events.recorded)
