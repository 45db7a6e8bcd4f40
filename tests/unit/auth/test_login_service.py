"""Signing in: who gets a session, and what happens when something changes in the midst of it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from services.auth.domain.accounts import Account
from services.auth.domain.errors import TryLater, WrongCredentials
from tests.unit.auth.parts import HERE, LIFETIMES, Parts

EMAIL, PASSWORD = "minji@example.com", "good sentence"


async def test_the_tokens_name_account_session_and_roles() -> None:
    parts = Parts()
    id_ = await parts.account()
    pair = await parts.login(EMAIL, PASSWORD, HERE)
    [claims] = parts.signer.signed
    [session] = await parts.sessions.of(id_, parts.now)
    assert claims["sub"] == str(id_)
    assert claims["sid"] == str(session.id)
    assert claims["roles"] == ["member"]
    assert claims["exp"] - claims["iat"] == pair.access_lifetime == LIFETIMES.access
    assert (session.device, session.address) == ("Firefox", "203.0.113.9")


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", ""])
async def test_nobodys_password_is_verified_as_well(email: str) -> None:
    parts = Parts()
    with pytest.raises(WrongCredentials):
        await parts.login(email, PASSWORD, HERE)
    assert parts.hasher.verified == [None]


async def test_a_disabled_account_is_refused_after_its_password_was_verified() -> None:
    parts = Parts()
    await parts.account(status="disabled")
    with pytest.raises(WrongCredentials):
        await parts.login(EMAIL, PASSWORD, HERE)
    assert parts.hasher.verified == [f"h1:{PASSWORD}"]
    assert parts.revocations.told == []


async def test_two_spellings_of_a_password_are_one() -> None:
    parts = Parts()
    await parts.account(password="café sentence")
    await parts.login(EMAIL, "cafe\u0301 sentence", HERE)


async def test_an_outdated_hash_is_renewed_and_the_session_stays() -> None:
    parts = Parts()
    id_ = await parts.account(password_hash=f"h0:{PASSWORD}")
    await parts.login(EMAIL, PASSWORD, HERE)
    account = await parts.accounts.by_id(id_)
    assert account is not None
    assert account.password_hash == f"h1:{PASSWORD}"
    assert len(await parts.sessions.of(id_, parts.now)) == 1


async def test_two_sign_ins_that_renew_one_hash_at_the_same_moment_both_succeed() -> None:
    parts = Parts()
    id_ = await parts.account(password_hash=f"h0:{PASSWORD}")
    replacing = parts.accounts.replace_hash

    async def second(id_: UUID, new: str, *, expecting: str) -> bool:
        await replacing(id_, f"h1:{PASSWORD}", expecting=expecting)
        return await replacing(id_, new, expecting=expecting)

    parts.accounts.replace_hash = second  # type: ignore[method-assign]
    await parts.login(EMAIL, PASSWORD, HERE)
    assert len(await parts.sessions.of(id_, parts.now)) == 1


async def test_a_password_changed_while_its_hash_is_renewed_is_not_signed_in_with() -> None:
    parts = Parts()
    id_ = await parts.account(password_hash=f"h0:{PASSWORD}")
    replacing = parts.accounts.replace_hash

    async def after_a_change(id_: UUID, new: str, *, expecting: str) -> bool:
        await replacing(id_, "h1:new", expecting=expecting)
        return await replacing(id_, new, expecting=expecting)

    parts.accounts.replace_hash = after_a_change  # type: ignore[method-assign]
    with pytest.raises(WrongCredentials):
        await parts.login(EMAIL, PASSWORD, HERE)
    assert await parts.sessions.of(id_, parts.now) == []


async def test_an_account_disabled_while_it_signs_in_ends_up_without_a_session() -> None:
    parts = Parts()
    id_ = await parts.account()
    _meanwhile(parts, lambda: parts.account_service.set_status(id_, "disabled"))
    with pytest.raises(WrongCredentials):
        await parts.login(EMAIL, PASSWORD, HERE)
    assert await parts.sessions.of(id_, parts.now) == []


async def test_a_password_changed_while_the_old_one_signs_in_ends_that_session() -> None:
    parts = Parts()
    id_ = await parts.account()
    _meanwhile(parts, lambda: parts.accounts.replace_hash(id_, "h1:new", expecting=f"h1:{PASSWORD}"))
    with pytest.raises(WrongCredentials):
        await parts.login(EMAIL, PASSWORD, HERE)
    assert await parts.sessions.of(id_, parts.now) == []


def _meanwhile(parts: Parts, act: Callable[[], Awaitable[object]]) -> None:
    """Has `act` happen after the password was found right and before the session is opened."""
    hold = parts.accounts.held

    async def held_after(id_: UUID) -> Account | None:
        await act()
        return await hold(id_)

    parts.accounts.held = held_after  # type: ignore[method-assign]


async def test_failures_make_the_next_attempt_wait_and_a_success_forgets_them() -> None:
    parts = Parts()
    await parts.account()
    for _ in range(4):
        with pytest.raises(WrongCredentials):
            await parts.login(EMAIL, "wrong", HERE)
    verified = len(parts.hasher.verified)
    with pytest.raises(TryLater) as refused:
        await parts.login(EMAIL, PASSWORD, HERE)
    assert refused.value.seconds == 1
    assert len(parts.hasher.verified) == verified
    parts.now += 1
    await parts.login(EMAIL, PASSWORD, HERE)
    with pytest.raises(WrongCredentials):
        await parts.login(EMAIL, "wrong", HERE)
    await parts.login(EMAIL, PASSWORD, HERE)


async def test_the_audit_log_tells_who_and_never_a_secret() -> None:
    parts = Parts()
    id_ = await parts.account()
    pair = await parts.login(EMAIL, PASSWORD, HERE)
    with pytest.raises(WrongCredentials):
        await parts.login(EMAIL, "a wrong secret", HERE)
    assert parts.events.names == ["login", "login_failed"]
    assert parts.events.recorded[0][1]["account"] == id_
    told = repr(parts.events.recorded)
    for secret in (PASSWORD, "a wrong secret", pair.access, pair.refresh, EMAIL):
        assert secret not in told
