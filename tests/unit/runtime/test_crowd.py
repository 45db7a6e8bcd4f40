"""The open connections of one worker."""

import asyncio

from kong.plugins.runtime.crowd import Crowd
from kong.plugins.runtime.limits import Limits
from kong.plugins.runtime.refusals import Refusal


class Guest:
    """A connection that says what was done to it."""

    def __init__(self, heard: float = 0.0, *, busy: bool = False, stalled: bool = False) -> None:
        self.heard = heard
        self.evictable = not busy
        self.stalled = stalled
        self.done: list[str] = []

    def retire(self) -> None:
        self.done.append("retired")

    def refuse_now(self, refusal: Refusal) -> None:
        self.done.append("refused")

    def drop(self, reason: str) -> None:
        self.done.append(reason)

    def abort(self) -> None:
        self.done.append("aborted")


def crowd(*guests: Guest, connections: int = 10) -> Crowd:
    opened = Crowd(asyncio.get_running_loop(), Limits(connections=connections))
    for guest in guests:
        opened.opened(guest)
    return opened


async def test_who_idled_longest_makes_room_and_who_is_busy_does_not() -> None:
    busy, old, young = Guest(1.0, busy=True), Guest(2.0), Guest(3.0)
    full = crowd(busy, old, young, connections=3)
    full.opened(Guest(4.0))
    assert (busy.done, old.done, young.done) == ([], ["retired"], [])


async def test_of_those_that_are_leaving_there_are_only_so_many_too() -> None:
    guests = [Guest(float(number)) for number in range(5)]
    crowd(*guests, connections=2)
    assert [guest.done for guest in guests] == [["retired", "aborted"], ["retired"], ["retired"], [], []]


async def test_all_leave_one_after_another() -> None:
    guests = [Guest() for _ in range(3)]
    leaving = asyncio.create_task(crowd(*guests).retire(0))
    for count in (1, 2, 3):
        await asyncio.sleep(0)
        assert sum(len(guest.done) for guest in guests) == count
    await leaving


async def test_half_a_frame_is_waited_for_and_not_for_ever() -> None:
    now = asyncio.get_running_loop().time()
    patience = Limits().stall
    fresh, late, whole = Guest(now, stalled=True), Guest(now - patience - 1, stalled=True), Guest(now - 100)
    crowd(fresh, late, whole).sweep()
    assert (fresh.done, late.done, whole.done) == ([], ["stalled"], [])
