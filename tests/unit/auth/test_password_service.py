"""Changing a password and resetting a forgotten one."""

from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from services.auth.application.login_service import Client
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
    await parts.password_service.forgot(EMAIL, HERE)
    kind, _, secret = parts.mail.sent[-1]
    assert kind == "password_reset"
    return secret


async def test_guessing_the_current_password_with_a_stolen_token_is_slowed_down() -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.login(EMAIL, PASSWORD, HERE)
    [session] = await parts.sessions.of(id_, parts.now)
    for _ in range(4):
        with pytest.raises(WrongPassword):
            await parts.password_service.change(id_, session.id, "wrong", NEW, HERE)
    with pytest.raises(TryLater):
        await parts.password_service.change(id_, session.id, PASSWORD, NEW, HERE)


async def test_a_change_tells_the_owner_by_mail() -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.login(EMAIL, PASSWORD, HERE)
    [session] = await parts.sessions.of(id_, parts.now)
    await parts.password_service.change(id_, session.id, PASSWORD, NEW, HERE)
    assert parts.mail.sent == [("password_changed", EMAIL, "")]


@pytest.mark.parametrize("way", ["change", "reset"])
async def test_a_change_stands_and_its_owner_hears_of_it_even_if_the_gateway_cannot_be_told(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: Any) -> None:
        raise ConnectionError

    parts = Parts()
    id_ = await parts.account()
    await parts.login(EMAIL, PASSWORD, HERE)
    [here] = await parts.sessions.of(id_, parts.now)
    await parts.login(EMAIL, PASSWORD, HERE)
    secret = await forgotten(parts)
    monkeypatch.setattr(parts.revocations, "tell", down)
    with pytest.raises(ConnectionError):
        if way == "change":
            await parts.password_service.change(id_, here.id, PASSWORD, NEW, HERE)
        else:
            await parts.password_service.reset(secret, NEW, HERE)
    assert parts.events.names[-1] == ("password_changed" if way == "change" else "password_reset")
    assert parts.mail.sent[-1] == ("password_changed", EMAIL, "")
    assert await parts.sessions.of(id_, parts.now) == ([here] if way == "change" else [])


async def test_nobody_is_mailed_about_an_account_that_does_not_exist_or_is_disabled() -> None:
    parts = Parts()
    await parts.account(status="disabled")
    await parts.password_service.forgot(EMAIL, HERE)
    await parts.password_service.forgot("nobody@example.com", HERE)
    # A message is written each time: whoever asks must not see by the time it takes whether there is an account.
    assert [message.kind for message in parts.mail.messages] == ["password_reset"] * 2
    assert parts.mail.sent == []


async def test_a_password_that_was_not_changed_after_all_is_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def another_came_first(*_: Any, **__: Any) -> bool:
        return False

    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    monkeypatch.setattr(parts.accounts, "set_password", another_came_first)
    with pytest.raises(InvalidLink):
        await parts.password_service.reset(secret, NEW, HERE)
    assert [message.kind for message in parts.mail.messages] == ["password_reset"]


async def test_a_refused_password_leaves_the_link_good() -> None:
    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    with pytest.raises(UnacceptablePassword):
        await parts.password_service.reset(secret, "short", HERE)
    await parts.password_service.reset(secret, NEW, HERE)
    await parts.login(EMAIL, NEW, HERE)


async def test_the_owners_own_words_are_refused_by_a_reset_too() -> None:
    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    with pytest.raises(UnacceptablePassword):
        await parts.password_service.reset(secret, EMAIL, HERE)
    await parts.password_service.reset(secret, NEW, HERE)


async def test_a_link_that_opens_nothing_tells_nothing_about_passwords() -> None:
    with pytest.raises(InvalidLink):
        await Parts().password_service.reset("somebody's invention", "short", HERE)


async def test_whoever_reset_the_password_does_not_wait_for_what_strangers_guessed() -> None:
    parts = Parts()
    await parts.account()
    for number in range(8):
        with suppress(WrongCredentials, TryLater):
            await parts.login(EMAIL, "wrong", Client(address=f"198.51.100.{number}", device="a stranger's"))
    with pytest.raises(TryLater):
        await parts.login(EMAIL, PASSWORD, HERE)
    await parts.password_service.reset(await forgotten(parts), NEW, HERE)
    await parts.login(EMAIL, NEW, HERE)


async def test_strangers_who_ask_for_links_without_end_keep_nobody_from_a_good_one() -> None:
    parts = Parts()
    await parts.account()
    mailed = []
    for _ in range(4 * 60):
        before = len(parts.mail.sent)
        await parts.password_service.forgot(EMAIL, HERE)
        mailed += [parts.now] * (len(parts.mail.sent) - before)
        parts.now += 60
    assert len(mailed) < 20, "nor is a mailbox filled"
    assert max(later - earlier for earlier, later in pairwise(mailed)) <= parts.links.reset_within


async def test_a_link_works_once() -> None:
    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    await parts.password_service.reset(secret, NEW, HERE)
    with pytest.raises(InvalidLink):
        await parts.password_service.reset(secret, "yet another one", HERE)


async def test_the_audit_log_holds_no_link() -> None:
    parts = Parts()
    await parts.account()
    secret = await forgotten(parts)
    await parts.password_service.reset(secret, NEW, HERE)
    assert parts.events.names == ["password_reset_requested", "password_reset"]
    assert secret not in repr(parts.events.recorded)
    assert NEW not in repr(parts.events.recorded)


async def test_a_password_chosen_by_a_mailed_link_confirms_the_address_that_the_link_went_to() -> None:
    parts = Parts()
    id_ = await parts.account()
    secret = await forgotten(parts)
    await parts.password_service.reset(secret, NEW, HERE)
    account = await parts.accounts.by_id(id_)
    assert account is not None and account.email_verified
