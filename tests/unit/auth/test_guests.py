"""Sessions without an account: their tokens say so, they refresh and end as all others, and one network gets few."""

from uuid import UUID

import pytest

from services.auth.application.login_service import Client
from services.auth.domain.errors import SessionEnded, TryLater
from tests.unit.auth.parts import HERE, LIFETIMES, Parts


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def test_a_guest_has_tokens_of_the_role_guest_and_of_no_account(parts: Parts) -> None:
    pair = await parts.guest_service(HERE)
    (claims,) = parts.signer.signed
    assert (claims["roles"], claims["sub"]) == (["guest"], claims["sid"])
    assert await parts.accounts.by_id(UUID(claims["sub"])) is None
    assert (pair.access_lifetime, pair.refresh_lifetime) == (LIFETIMES.access, LIFETIMES.idle)


async def test_a_guest_refreshes_and_stays_the_same_guest(parts: Parts) -> None:
    pair = await parts.guest_service(HERE)
    again = await parts.session_service.refresh(pair.refresh)
    first, second = parts.signer.signed
    assert (second["sub"], second["roles"]) == (first["sub"], ["guest"])
    parts.now += LIFETIMES.grace + 1
    with pytest.raises(SessionEnded):  # used up long ago: whoever has it took it
        await parts.session_service.refresh(pair.refresh)
    with pytest.raises(SessionEnded):
        await parts.session_service.refresh(again.refresh)


async def test_a_guest_signs_out_for_good(parts: Parts) -> None:
    pair = await parts.guest_service(HERE)
    await parts.session_service.sign_out(None, pair.refresh)
    with pytest.raises(SessionEnded):
        await parts.session_service.refresh(pair.refresh)


async def test_one_network_gets_few_and_others_are_not_held_up(parts: Parts) -> None:
    for _ in range(4):
        await parts.guest_service(HERE)
    with pytest.raises(TryLater):
        await parts.guest_service(HERE)
    await parts.guest_service(Client(address="198.51.100.7", device="Firefox"))
    assert parts.events.names.count("guest_throttled") == 1
