"""argon2id in its bounded pool."""

import asyncio

import pytest

from services.auth.adapters.hashing import Argon2Parameters, Argon2Passwords
from services.auth.domain.errors import Overloaded

CHEAP = Argon2Parameters(t=1, m=8, p=1)


async def test_a_hash_verifies_its_password_alone_and_names_its_parameters() -> None:
    passwords = Argon2Passwords(CHEAP, threads=1, waiting=0)
    async with passwords.turn("a") as turn:
        hash_ = await turn.hash("a sentence")
        assert hash_.startswith("$argon2id$v=19$m=8,t=1,p=1$")
        assert await turn.verify(hash_, "a sentence")
        assert not await turn.verify(hash_, "another sentence")
    passwords.close()


async def test_nobody_has_the_password_that_nobodys_hash_is_made_of() -> None:
    passwords = Argon2Passwords(CHEAP, threads=1, waiting=0)
    async with passwords.turn("a") as turn:
        assert not await turn.verify(None, "no account has this hash")
    passwords.close()


@pytest.mark.parametrize("broken", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$broken"])
async def test_a_broken_hash_verifies_nothing(broken: str) -> None:
    passwords = Argon2Passwords(CHEAP, threads=1, waiting=0)
    async with passwords.turn("a") as turn:
        assert not await turn.verify(broken or "x", "plain")
    passwords.close()


def test_a_hash_of_other_parameters_is_outdated() -> None:
    before, now = (Argon2Passwords(Argon2Parameters(t=t, m=8, p=1), threads=1, waiting=0) for t in (1, 2))
    hash_ = before._hasher.hash("a sentence")
    assert now.outdated(hash_)
    assert not before.outdated(hash_)


async def test_no_more_wait_than_may_and_a_place_is_given_back() -> None:
    passwords = Argon2Passwords(CHEAP, threads=1, waiting=1)
    leave = asyncio.Event()

    async def stay() -> None:
        async with passwords.turn("a"):
            await leave.wait()

    staying = [asyncio.create_task(stay()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        async with passwords.turn("a"):
            pass
    leave.set()
    await asyncio.gather(*staying)
    async with passwords.turn("a"):
        pass
    passwords.close()


async def test_a_flood_from_one_network_neither_refuses_another_nor_goes_before_it() -> None:
    passwords = Argon2Passwords(CHEAP, threads=2, waiting=6)
    order: list[str] = []
    leave = asyncio.Event()

    async def call(network: str) -> None:
        async with passwords.turn(network):
            order.append(network)
            await leave.wait()

    flood = [asyncio.create_task(call("flood")) for _ in range(20)]
    await asyncio.sleep(0)
    assert sum(task.done() for task in flood) == 20 - (2 + 6)
    other = asyncio.create_task(call("other"))
    await asyncio.sleep(0)
    leave.set()
    await other
    refused = [task for task in await asyncio.gather(*flood, return_exceptions=True) if task is not None]
    assert [type(one) for one in refused] == [Overloaded] * 13
    assert order == ["flood", "flood", "other"] + ["flood"] * 5
    assert len(passwords._queue) == 0
    passwords.close()


async def test_a_turn_that_comes_to_a_caller_that_just_went_away_goes_to_the_next() -> None:
    passwords = Argon2Passwords(CHEAP, threads=1, waiting=2)

    async def call() -> bool:
        async with passwords.turn("a"):
            return True

    for cancelled_first in (True, False):
        async with passwords.turn("a"):
            gone, next_ = asyncio.create_task(call()), asyncio.create_task(call())
            await asyncio.sleep(0)
            if cancelled_first:
                gone.cancel()
        gone.cancel()
        assert await next_
        assert gone.cancelled()
    assert len(passwords._queue) == 0
    passwords.close()


async def test_a_caller_that_goes_away_gives_its_place_back() -> None:
    passwords = Argon2Passwords(CHEAP, threads=1, waiting=1)

    async def stay() -> None:
        async with passwords.turn("a"):
            await asyncio.Event().wait()

    staying = [asyncio.create_task(stay()) for _ in range(2)]
    await asyncio.sleep(0)
    for task in staying:
        task.cancel()
    await asyncio.gather(*staying, return_exceptions=True)
    assert len(passwords._queue) == 0
    async with passwords.turn("a"):
        pass
    passwords.close()
