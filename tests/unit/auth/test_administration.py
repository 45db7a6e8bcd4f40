"""What other services do to an account, and what its owner hears of it."""

from typing import Any

import pytest

from services.auth.domain.errors import EmailTaken
from tests.unit.auth.parts import Parts


async def test_the_former_address_is_told_of_a_change_once_however_often_the_order_comes() -> None:
    parts = Parts()
    id_ = await parts.account("minji@example.com")
    for _ in range(3):
        await parts.administration.set_email(id_, "New@example.com")
    assert parts.mail.sent == [("email_changed", "minji@example.com", "")]
    assert parts.events.names == ["email_changed"]


async def test_nobody_is_told_of_a_change_that_was_refused() -> None:
    parts = Parts()
    id_ = await parts.account("minji@example.com")
    await parts.account("taken@example.com")
    with pytest.raises(EmailTaken):
        await parts.administration.set_email(id_, "taken@example.com")
    assert parts.mail.sent == []


async def test_going_from_address_to_address_does_not_mail_them_all() -> None:
    parts = Parts()
    id_ = await parts.account("a0@example.com")
    for number in range(1, 20):
        await parts.administration.set_email(id_, f"a{number}@example.com")
    assert [to for _, to, _ in parts.mail.sent] == [f"a{number}@example.com" for number in range(4)]


async def test_while_the_throttle_is_down_the_address_stays_so_that_the_order_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def down(*_: Any) -> int:
        raise ConnectionError

    parts = Parts()
    id_ = await parts.account("minji@example.com")
    with monkeypatch.context() as outage:
        outage.setattr(parts.throttle, "wait", down)
        with pytest.raises(ConnectionError):
            await parts.administration.set_email(id_, "new@example.com")
    await parts.administration.set_email(id_, "new@example.com")
    assert parts.mail.sent == [("email_changed", "minji@example.com", "")]
