"""Places of a pool: never more than there are, and none is lost."""

import asyncio

import pytest

from common.slots import Slots


async def _turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_there_are_no_more_places_than_its_number() -> None:
    slots = Slots(2)
    assert slots.take() and slots.take() and not slots.take()
    slots.give_back()
    assert slots.take() and not slots.take()


async def test_a_place_goes_to_whoever_has_waited_longest_and_to_nobody_else() -> None:
    slots, had = Slots(1), list[int]()

    async def wait(number: int) -> None:
        await slots.wait()
        had.append(number)

    assert slots.take()
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(wait(number))
        await _turns()
        for taken in range(3):
            slots.give_back()
            assert not slots.take(), "it was somebody's already"
            await _turns()
            assert had == list(range(taken + 1))
    slots.give_back()
    assert slots.take()


@pytest.mark.parametrize("given", [False, True], ids=["still waiting", "given a place in that moment"])
async def test_whoever_gives_up_loses_no_place(given: bool) -> None:
    slots = Slots(1)
    assert slots.take()
    waiting = asyncio.create_task(slots.wait())
    await _turns()
    if given:
        slots.give_back()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if not given:
        slots.give_back()
    assert slots.take() and not slots.take()
