"""Moving an account to another address: who is told, where its links go meanwhile, and what a token alone can do."""

from dataclasses import replace
from typing import Any

import pytest

from services.auth.application.administration import settle_email
from services.auth.domain.accounts import Account, erased_email
from services.auth.domain.errors import EmailTaken, InvalidLink, UnknownAccount, WrongCredentials
from tests.unit.auth.parts import HERE, Parts

OLD, NEW = "minji@example.com", "new@example.com"
PASSWORD, NEW_PASSWORD = "good sentence", "quite another one"


async def moved(parts: Parts, *addresses: str) -> Account:
    """An account that signed in with OLD and was moved to each of the addresses, without a password."""
    id_ = await parts.account(OLD, PASSWORD)
    for address in addresses:
        await parts.administration.set_email(id_, address)
    return await found(parts, id_)


async def found(parts: Parts, id_: Any) -> Account:
    account = await parts.accounts.by_id(id_)
    assert account is not None
    return account


def mailed(parts: Parts, kind: str) -> str:
    """The secret of the latest mail of this kind."""
    return [secret for sent, _, secret in parts.mail.sent if sent == kind][-1]


async def test_both_addresses_are_told_once_however_often_the_message_comes() -> None:
    parts = Parts()
    await moved(parts, "New@example.com", NEW, NEW)
    assert [(kind, to) for kind, to, _ in parts.mail.sent] == [
        ("email_changed", OLD),
        ("email_confirmation", NEW),
    ]
    assert parts.events.names == ["email_changed"]


async def test_a_forgotten_password_is_not_mailed_to_an_address_that_a_token_alone_gave_the_account() -> None:
    parts = Parts()
    account = await moved(parts, NEW)
    # Whoever reads the new address' mail may confirm it; that shows nothing of the account's owner.
    await parts.registration.confirm_email(mailed(parts, "email_confirmation"))
    for asked in (NEW, OLD):
        await parts.password_care.forgot(asked, HERE)
        assert parts.mail.sent[-1][:2] == ("password_reset", OLD)
    assert (await found(parts, account.id)).email == NEW


async def test_the_new_address_is_trusted_once_the_password_was_given_with_it() -> None:
    parts = Parts()
    account = await moved(parts, NEW)
    with pytest.raises(WrongCredentials):
        await parts.sign_in(NEW, "a guess", HERE)
    assert (await found(parts, account.id)).recovery_email == OLD
    await parts.sign_in(NEW, PASSWORD, HERE)
    assert (await found(parts, account.id)).recovery_email == NEW
    assert parts.events.names[-2:] == ["email_settled", "login"]
    await parts.password_care.forgot(NEW, HERE)
    assert parts.mail.sent[-1][:2] == ("password_reset", NEW)
    await parts.password_care.forgot(OLD, HERE)
    assert parts.mail.sent[-1][:2] == ("password_reset", NEW)
    with pytest.raises(InvalidLink):
        await parts.password_care.reset(mailed(parts, "email_changed"), NEW_PASSWORD, HERE)


async def test_changing_the_password_does_not_vouch_for_an_address_that_its_owner_may_not_know_of() -> None:
    parts = Parts()
    account = await moved(parts)
    await parts.sign_in(OLD, PASSWORD, HERE)
    [session] = await parts.sessions.of(account.id, parts.now)
    await parts.administration.set_email(account.id, NEW)
    await parts.password_care.change(account.id, session.id, PASSWORD, NEW_PASSWORD, HERE)
    assert (await found(parts, account.id)).recovery_email == OLD
    assert parts.mail.sent[-1][:2] == ("password_changed", OLD)


async def test_the_former_address_takes_the_account_back_wherever_it_was_moved_since() -> None:
    parts = Parts()
    account = await moved(parts, NEW, "newer@example.com", "newest@example.com", "one-more@example.com")
    told = [to for kind, to, _ in parts.mail.sent if kind == "email_changed"]
    assert told == [OLD] * 4
    first = next(secret for kind, _, secret in parts.mail.sent if kind == "email_changed")
    await parts.password_care.reset(first, NEW_PASSWORD, HERE)
    back = await found(parts, account.id)
    assert (back.email, back.former_email, back.email_verified) == (OLD, None, True)
    assert parts.accounts.messages[-1] == account.id  # its member follows
    assert parts.events.names[-2:] == ["password_reset", "email_taken_back"]
    assert parts.mail.sent[-1][:2] == ("password_changed", OLD)
    await parts.sign_in(OLD, NEW_PASSWORD, HERE)
    for taken in (NEW, "one-more@example.com"):
        with pytest.raises(WrongCredentials):
            await parts.sign_in(taken, NEW_PASSWORD, HERE)


async def test_a_link_that_was_asked_for_before_the_move_takes_the_account_back_too() -> None:
    parts = Parts()
    account = await moved(parts)
    await parts.password_care.forgot(OLD, HERE)
    await parts.administration.set_email(account.id, NEW)
    await parts.password_care.reset(mailed(parts, "password_reset"), NEW_PASSWORD, HERE)
    assert (await found(parts, account.id)).email == OLD


async def test_a_link_is_void_once_the_new_address_is_trusted_be_it_at_that_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Parts()
    account = await moved(parts, NEW)
    recover = parts.accounts.recover

    async def overtaken(*given: Any) -> bool:
        await parts.accounts.settle_email(account.id, NEW)
        return await recover(*given)

    monkeypatch.setattr(parts.accounts, "recover", overtaken)
    with pytest.raises(InvalidLink):
        await parts.password_care.reset(mailed(parts, "email_changed"), NEW_PASSWORD, HERE)
    assert (await found(parts, account.id)).email == NEW
    await parts.sign_in(NEW, PASSWORD, HERE)


async def test_a_sign_in_does_not_vouch_for_an_address_that_came_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Parts()
    account = await moved(parts, NEW)
    settle = parts.accounts.settle_email

    async def overtaken(*given: Any) -> bool:
        await parts.administration.set_email(account.id, "newer@example.com")
        return await settle(*given)

    monkeypatch.setattr(parts.accounts, "settle_email", overtaken)
    await parts.sign_in(NEW, PASSWORD, HERE)
    assert (await found(parts, account.id)).recovery_email == OLD


async def test_moved_back_to_where_it_was_an_account_is_as_if_nothing_had_been() -> None:
    parts = Parts()
    account = await moved(parts, NEW, OLD)
    assert account == replace(account, email=OLD, former_email=None)
    assert [to for kind, to, _ in parts.mail.sent if kind == "email_changed"] == [OLD]


async def test_nobody_else_gets_an_address_that_may_take_an_account_back() -> None:
    parts = Parts()
    account = await moved(parts, NEW)
    other = await parts.account("other@example.com")
    with pytest.raises(EmailTaken):
        await parts.register(OLD, "a good sentence", "Somebody", HERE)
    with pytest.raises(EmailTaken):
        await parts.administration.set_email(other, OLD)
    await parts.sign_in(NEW, PASSWORD, HERE)
    await parts.register(OLD, "a good sentence", "Somebody", HERE)
    assert (await found(parts, account.id)).email == NEW


@pytest.mark.parametrize("wants", ["registers", "moves"])
async def test_nobody_keeps_an_address_from_its_owner_by_moving_to_it(wants: str) -> None:
    parts = Parts()
    squatter = await moved(parts, NEW)
    other = await parts.account("other@example.com")
    if wants == "registers":
        other = (await parts.register(NEW, "a good sentence", "Somebody", HERE)).id
    else:
        await parts.administration.set_email(other, NEW)
    assert (await found(parts, other)).email == NEW
    back = await found(parts, squatter.id)
    assert (back.email, back.former_email) == (OLD, None)
    assert squatter.id in parts.accounts.messages[1:]  # its member follows
    await parts.sign_in(OLD, PASSWORD, HERE)


@pytest.mark.parametrize("shown", ["by its mail", "by the password"])
async def test_an_address_that_was_shown_to_be_somebodys_gives_way_to_nobody(shown: str) -> None:
    parts = Parts()
    account = await moved(parts, NEW)
    if shown == "by its mail":
        await parts.registration.confirm_email(mailed(parts, "email_confirmation"))
    else:
        await parts.sign_in(NEW, PASSWORD, HERE)
    with pytest.raises(EmailTaken):
        await parts.register(NEW, "a good sentence", "Somebody", HERE)
    assert (await found(parts, account.id)).email == NEW


async def test_an_erased_account_keeps_no_former_address() -> None:
    parts = Parts()
    account = await moved(parts, NEW)
    await parts.administration.erase(account.id)
    assert await parts.accounts.by_any_email(OLD) is None
    await parts.register(OLD, "a good sentence", "Somebody", HERE)


async def test_an_operator_can_vouch_for_an_owner_who_has_lost_both_mailbox_and_password() -> None:
    parts = Parts()
    account = await moved(parts, NEW)
    for _ in range(2):
        assert (await settle_email(parts.accounts, parts.events, "New@example.com ")).id == account.id
    assert (await found(parts, account.id)).recovery_email == NEW
    assert parts.events.names.count("email_settled") == 1
    with pytest.raises(UnknownAccount):
        await settle_email(parts.accounts, parts.events, OLD)


async def test_nobody_is_told_of_a_change_that_was_refused() -> None:
    parts = Parts()
    id_ = await parts.account(OLD)
    await parts.account("taken@example.com")
    for _ in range(5):
        with pytest.raises(EmailTaken):
            await parts.administration.set_email(id_, "taken@example.com")
    assert parts.mail.sent == []
    # Nor do the refused ones use up what the owner would be told of the next.
    await parts.administration.set_email(id_, NEW)
    assert parts.mail.sent[0][:2] == ("email_changed", OLD)


async def test_going_from_address_to_address_does_not_mail_them_all() -> None:
    parts = Parts()
    await moved(parts, *(f"a{number}@example.com" for number in range(20)))
    assert [to for kind, to, _ in parts.mail.sent if kind == "email_confirmation"] == [
        f"a{number}@example.com" for number in range(4)
    ]


async def test_while_redis_is_down_the_address_stays_so_that_the_message_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def down(*_: Any) -> int:
        raise ConnectionError

    parts = Parts()
    id_ = await parts.account(OLD)
    with monkeypatch.context() as outage:
        outage.setattr(parts.throttle, "wait", down)
        with pytest.raises(ConnectionError):
            await parts.administration.set_email(id_, NEW)
    await parts.administration.set_email(id_, NEW)
    assert [(kind, to) for kind, to, _ in parts.mail.sent] == [
        ("email_changed", OLD),
        ("email_confirmation", NEW),
    ]


async def test_nothing_changes_the_address_of_an_erased_account() -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.administration.erase(id_)
    for sequence in (None, 1, 2**63 - 1):
        await parts.administration.set_email(id_, "late@example.com", sequence)
    account = await parts.accounts.by_id(id_)
    assert account is not None
    assert (account.email, account.name, account.active) == (erased_email(id_), "", False)
    assert await parts.accounts.by_email("late@example.com") is None


async def test_a_message_overtaken_by_a_later_one_changes_no_address() -> None:
    parts = Parts()
    id_ = await parts.account()
    await parts.administration.set_email(id_, "second@example.com", 2)
    await parts.administration.set_email(id_, "first@example.com", 1)
    account = await parts.accounts.by_id(id_)
    assert account is not None
    assert account.email == "second@example.com"
    assert parts.events.names == ["email_changed"]


async def test_a_confirmation_link_is_void_once_the_address_changed() -> None:
    parts = Parts()
    account = await parts.register(OLD, "a good sentence", "Minji", HERE)
    [(_, _, secret)] = parts.mail.sent
    await parts.administration.set_email(account.id, "new@example.com")
    with pytest.raises(InvalidLink):
        await parts.registration.confirm_email(secret)
