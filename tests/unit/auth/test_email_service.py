"""Moving an account to another address: the password first, the new mailbox after it, and nothing in between."""

from typing import Any
from uuid import UUID

import pytest

from services.auth.application.login_service import Client
from services.auth.domain.accounts import Account, erased_email
from services.auth.domain.errors import (
    EmailTaken,
    InvalidEmail,
    InvalidLink,
    TryLater,
    UnknownAccount,
    WrongCredentials,
    WrongPassword,
)
from tests.unit.auth.parts import HERE, Parts

OLD, NEW = "minji@example.com", "new@example.com"
PASSWORD, NEW_PASSWORD = "good sentence", "quite another one"


async def ask(parts: Parts, id_: UUID, email: str, password: str = PASSWORD, client: Client = HERE) -> None:
    await parts.email_service.request(await parts.email_service.prepare(id_, email, password, client), client)


async def set_by_admin(parts: Parts, admin: UUID, id_: UUID, email: str, password: str = PASSWORD) -> None:
    await parts.email_service.set(
        await parts.email_service.prepare_for(admin, id_, email, password, HERE), HERE
    )


async def found(parts: Parts, id_: UUID) -> Account:
    account = await parts.accounts.by_id(id_)
    assert account is not None
    return account


def mailed(parts: Parts, kind: str) -> str:
    """The secret of the latest mail of this kind."""
    return [secret for sent, _, secret in parts.mail.sent if sent == kind][-1]


def told(parts: Parts) -> list[tuple[str, str]]:
    return [(kind, to) for kind, to, _ in parts.mail.sent]


async def test_the_address_changes_when_the_link_mailed_to_the_new_one_is_opened() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await ask(parts, id_, " New@example.com")
    pending = await found(parts, id_)
    assert (pending.email, pending.pending_email) == (OLD, NEW)
    assert told(parts) == [("email_change", NEW), ("email_change_requested", OLD)]
    await parts.login(OLD, PASSWORD, HERE)
    with pytest.raises(WrongCredentials):
        await parts.login(NEW, PASSWORD, HERE)
    await parts.email_service.confirm(mailed(parts, "email_change"), HERE)
    moved = await found(parts, id_)
    assert (moved.email, moved.pending_email, moved.email_verified) == (NEW, None, True)
    assert told(parts)[2:] == [("email_changed", OLD)]
    assert parts.accounts.messages == [id_, id_]  # its member follows
    assert parts.events.names == [
        "email_change_requested",
        "login",
        "login_failed",
        "email_changed",
    ]
    await parts.login(NEW, PASSWORD, HERE)
    with pytest.raises(WrongCredentials):
        await parts.login(OLD, PASSWORD, HERE)


async def test_without_the_password_nothing_is_asked_for_and_guessing_it_has_to_wait() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    for _ in range(4):
        with pytest.raises(WrongPassword):
            await ask(parts, id_, NEW, "a guess")
    with pytest.raises(TryLater):
        await ask(parts, id_, NEW)
    # Guesses at the one call count at the other: a stolen token has one budget.
    with pytest.raises(TryLater):
        await parts.password_service.change(id_, id_, PASSWORD, NEW_PASSWORD, HERE)
    assert (await found(parts, id_)).pending_email is None
    assert (parts.mail.sent, set(parts.events.names)) == ([], {"email_change_refused"})


async def test_a_pending_address_gets_no_password_links_and_is_kept_from_nobody() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await ask(parts, id_, NEW)
    await parts.password_service.forgot(NEW, HERE)
    await parts.password_service.forgot(OLD, HERE)
    assert told(parts)[2:] == [("password_reset", OLD)]
    owner = await parts.register(NEW, "a good sentence", "Owner", HERE)
    with pytest.raises(EmailTaken):
        await parts.email_service.confirm(mailed(parts, "email_change"), HERE)
    assert (await found(parts, owner.id)).email == NEW
    assert (await found(parts, id_)).email == OLD


async def test_a_change_that_was_taken_back_is_over() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await ask(parts, id_, NEW)
    for _ in range(2):
        await parts.email_service.withdraw(id_, HERE)
    with pytest.raises(InvalidLink):
        await parts.email_service.confirm(mailed(parts, "email_change"), HERE)
    assert parts.events.names == ["email_change_requested", "email_change_withdrawn"]


async def test_the_latest_address_counts() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await ask(parts, id_, NEW)
    first = mailed(parts, "email_change")
    await ask(parts, id_, "newer@example.com")
    with pytest.raises(InvalidLink):
        await parts.email_service.confirm(first, HERE)
    await parts.email_service.confirm(mailed(parts, "email_change"), HERE)
    assert (await found(parts, id_)).email == "newer@example.com"


@pytest.mark.parametrize("way", ["changed", "reset"])
async def test_a_new_password_takes_a_pending_address_back(way: str) -> None:
    """Whoever asked for it knew the former password, which may be why there is a new one."""
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await ask(parts, id_, NEW)
    link = mailed(parts, "email_change")
    if way == "changed":
        await parts.password_service.change(id_, id_, PASSWORD, NEW_PASSWORD, HERE)
    else:
        await parts.password_service.forgot(OLD, HERE)
        await parts.password_service.reset(mailed(parts, "password_reset"), NEW_PASSWORD, HERE)
    assert (await found(parts, id_)).pending_email is None
    with pytest.raises(InvalidLink):
        await parts.email_service.confirm(link, HERE)


async def test_a_hash_that_is_made_anew_takes_nothing_back() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, password_hash=f"h0:{PASSWORD}")
    await ask(parts, id_, NEW)
    await parts.login(OLD, PASSWORD, HERE)
    assert (await found(parts, id_)).pending_email == NEW


async def test_a_change_is_not_asked_for_by_a_password_that_was_replaced_meanwhile() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    change = await parts.email_service.prepare(id_, NEW, PASSWORD, HERE)
    await parts.password_service.change(id_, id_, PASSWORD, NEW_PASSWORD, HERE)
    with pytest.raises(WrongPassword):
        await parts.email_service.request(change, HERE)
    assert (await found(parts, id_)).pending_email is None


async def test_a_password_link_mailed_to_the_former_address_opens_nothing_any_more() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await parts.password_service.forgot(OLD, HERE)
    link = mailed(parts, "password_reset")
    await ask(parts, id_, NEW)
    await parts.links.look(link)  # while the new one is only pending it is good
    await parts.email_service.confirm(mailed(parts, "email_change"), HERE)
    with pytest.raises(InvalidLink):
        await parts.links.look(link)


async def test_a_taken_address_is_told_and_paid_for_as_at_registration() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await parts.account("taken@example.com")
    for _ in range(4):
        with pytest.raises(EmailTaken):
            await ask(parts, id_, "taken@example.com")
    with pytest.raises(TryLater):
        await ask(parts, id_, "free@example.com")
    with pytest.raises(TryLater):
        await parts.login("nobody@example.com", "a guess", HERE)
    assert parts.mail.sent == []
    assert parts.events.names.count("email_change_taken") == 4


async def test_an_address_is_not_learned_to_be_taken_without_the_password() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await parts.account("taken@example.com")
    with pytest.raises(WrongPassword):
        await ask(parts, id_, "taken@example.com", "a guess")


async def test_what_is_no_address_is_refused_by_name() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    with pytest.raises(InvalidEmail):
        await ask(parts, id_, "no address")


async def test_asking_for_the_present_address_takes_the_pending_one_back_and_mails_its_link_anew() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await ask(parts, id_, NEW)
    await ask(parts, id_, OLD)
    assert (await found(parts, id_)).pending_email is None
    await parts.email_service.confirm(mailed(parts, "email_confirmation"), HERE)
    assert (await found(parts, id_)).email_verified
    await ask(parts, id_, OLD)
    assert told(parts)[2:] == [("email_confirmation", OLD)]


async def test_going_from_address_to_address_mails_only_the_first_few() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    for number in range(4):
        await ask(parts, id_, f"a{number}@example.com")
    with pytest.raises(TryLater):
        await ask(parts, id_, "a4@example.com")


async def test_a_disabled_account_moves_nowhere() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await ask(parts, id_, NEW)
    await parts.account_service.set_status(id_, "disabled")
    with pytest.raises(InvalidLink):
        await parts.email_service.confirm(mailed(parts, "email_change"), HERE)


async def test_an_erased_account_has_nothing_pending_and_gets_no_address() -> None:
    parts = Parts()
    id_, admin = await parts.account(OLD, PASSWORD), await parts.account("admin@example.com", PASSWORD)
    await ask(parts, id_, NEW)
    await parts.account_service.erase(id_)
    with pytest.raises(InvalidLink):
        await parts.email_service.confirm(mailed(parts, "email_change"), HERE)
    with pytest.raises(UnknownAccount):
        await set_by_admin(parts, admin, id_, NEW)
    await parts.account_service.keep_email(id_, NEW)
    account = await found(parts, id_)
    assert (account.email, account.pending_email, account.active) == (erased_email(id_), None, False)


async def test_an_administrator_moves_an_account_with_a_password_of_their_own() -> None:
    parts = Parts()
    id_, admin = (
        await parts.account(OLD, "another password"),
        await parts.account("admin@example.com", PASSWORD),
    )
    with pytest.raises(WrongPassword):
        await set_by_admin(parts, admin, id_, NEW, "another password")
    for _ in range(2):
        await set_by_admin(parts, admin, id_, NEW)
    moved = await found(parts, id_)
    assert (moved.email, moved.email_verified, moved.pending_email) == (NEW, False, None)
    assert told(parts) == [("email_changed", OLD), ("email_confirmation", NEW)]
    assert parts.accounts.messages.count(id_) == 2
    event, facts = parts.events.recorded[-1]
    assert (event, facts["account"], facts["by"]) == ("email_set", id_, admin)
    await parts.password_service.forgot(NEW, HERE)
    assert told(parts)[-1] == ("password_reset", NEW)


async def test_an_administrator_is_told_of_a_taken_address_and_of_an_account_that_is_none() -> None:
    parts = Parts()
    id_, admin = await parts.account(OLD), await parts.account("admin@example.com", PASSWORD)
    with pytest.raises(EmailTaken):
        await set_by_admin(parts, admin, id_, "admin@example.com")
    with pytest.raises(UnknownAccount):
        await set_by_admin(parts, admin, UUID(int=1), NEW)


async def test_what_a_member_service_of_the_release_before_asks_for_waits_for_the_password() -> None:
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    await parts.account_service.keep_email(id_, NEW)
    kept = await found(parts, id_)
    assert (kept.email, kept.pending_email, parts.mail.sent) == (OLD, NEW, [])
    assert parts.accounts.messages[-1] == id_  # its member shows the account's address again
    await parts.account_service.keep_email(id_, "thief@example.com")
    assert (await found(parts, id_)).pending_email == NEW
    with pytest.raises(UnknownAccount):
        await parts.account_service.keep_email(UUID(int=1), NEW)


async def test_a_link_that_confirmed_an_address_before_does_not_move_an_account_there() -> None:
    """Earlier releases moved first and mailed such a link to the new address, by a token alone."""
    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    was = await found(parts, id_)
    moved_then = Account(**{name: getattr(was, name) for name in was.__slots__} | {"email": NEW})
    link = await parts.links.to_confirm(moved_then, UUID(int=7))
    assert link is not None
    await parts.account_service.keep_email(id_, NEW)
    with pytest.raises(InvalidLink):
        await parts.email_service.confirm(link, HERE)
    assert (await found(parts, id_)).email == OLD


async def test_while_redis_is_down_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any) -> int:
        raise ConnectionError

    parts = Parts()
    id_ = await parts.account(OLD, PASSWORD)
    with monkeypatch.context() as outage:
        outage.setattr(parts.throttle, "wait", down)
        with pytest.raises(ConnectionError):
            await ask(parts, id_, NEW)
    assert ((await found(parts, id_)).pending_email, parts.mail.sent) == (None, [])


async def test_a_confirmation_link_is_void_once_the_address_changed() -> None:
    parts = Parts()
    account = await parts.register(OLD, "a good sentence", "Minji", HERE)
    [(_, _, secret)] = parts.mail.sent
    await parts.accounts.set_email(account.id, "new@example.com")
    with pytest.raises(InvalidLink):
        await parts.email_service.confirm(secret, HERE)
