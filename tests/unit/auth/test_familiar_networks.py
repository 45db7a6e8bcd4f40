"""From where strangers' failures do not keep an owner out, and from when on that is over."""

from collections.abc import Iterable

import pytest

from services.auth.application.login_service import Client
from services.auth.domain.errors import WrongCredentials
from services.auth.domain.throttling import Subject, account_key
from tests.unit.auth.parts import HERE, Parts

EMAIL, PASSWORD, NEW = "minji@example.com", "good sentence", "another sentence"
THERE = Client(address="198.51.100.7", device="Firefox")


@pytest.mark.parametrize("way", ["change", "reset"])
async def test_after_a_new_password_only_the_network_that_set_it_is_familiar(way: str) -> None:
    parts = Parts()
    id_ = await parts.account()
    for client in (THERE, HERE):
        await parts.login(EMAIL, PASSWORD, client)
    assert await familiar(parts) == [THERE, HERE]
    parts.now += 1
    if way == "change":
        session, *_ = await parts.sessions.of(id_, parts.now)
        await parts.password_service.change(id_, session.id, PASSWORD, NEW, HERE)
    else:
        await parts.password_service.forgot(EMAIL, HERE)
        await parts.password_service.reset(parts.mail.sent[-1][2], NEW, HERE)
    assert await familiar(parts) == [HERE]
    await parts.login(EMAIL, NEW, THERE)
    assert await familiar(parts) == [THERE, HERE]


async def test_a_sign_in_that_a_new_password_overtakes_makes_no_network_familiar(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Parts()
    await parts.account()
    await parts.password_service.forgot(EMAIL, HERE)
    forget = parts.throttle.forget

    async def overtaken(subjects: Iterable[Subject]) -> None:
        monkeypatch.setattr(parts.throttle, "forget", forget)
        parts.now += 1
        await parts.password_service.reset(parts.mail.sent[-1][2], NEW, HERE)
        parts.now += 1
        await forget(subjects)

    monkeypatch.setattr(parts.throttle, "forget", overtaken)
    with pytest.raises(WrongCredentials):
        await parts.login(EMAIL, PASSWORD, THERE)
    assert await familiar(parts) == [HERE]


async def familiar(parts: Parts) -> list[Client]:
    who = account_key(EMAIL)
    return [client for client in (THERE, HERE) if await parts.throttle.familiar(who, client.address)]
