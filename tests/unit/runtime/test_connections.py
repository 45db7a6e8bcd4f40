"""The open connections of one worker."""

import asyncio

from kong.plugins.runtime.connections import Connections
from kong.plugins.runtime.limits import Limits
from kong.plugins.runtime.problems import Problem


class FakeConnection:
    """A connection that says what was done to it."""

    def __init__(self, last_received: float = 0.0, *, busy: bool = False, stalled: bool = False) -> None:
        self.last_received = last_received
        self.evictable = not busy
        self.stalled = stalled
        self.done: list[str] = []

    def retire(self) -> None:
        self.done.append("retired")

    def refuse_now(self, problem: Problem) -> None:
        self.done.append("refused")

    def drop(self, reason: str) -> None:
        self.done.append(reason)

    def abort(self) -> None:
        self.done.append("aborted")


def opened_connections(*given: FakeConnection, connections: int = 10) -> Connections:
    opened = Connections(asyncio.get_running_loop(), Limits(connections=connections))
    for connection in given:
        opened.opened(connection)
    return opened


async def test_who_idled_longest_makes_room_and_who_is_busy_does_not() -> None:
    busy, old, young = FakeConnection(1.0, busy=True), FakeConnection(2.0), FakeConnection(3.0)
    full = opened_connections(busy, old, young, connections=3)
    full.opened(FakeConnection(4.0))
    assert (busy.done, old.done, young.done) == ([], ["retired"], [])


async def test_of_those_that_are_leaving_there_are_only_so_many_too() -> None:
    given = [FakeConnection(float(number)) for number in range(5)]
    opened_connections(*given, connections=2)
    assert [connection.done for connection in given] == [
        ["retired", "aborted"],
        ["retired"],
        ["retired"],
        [],
        [],
    ]


async def test_all_leave_one_after_another() -> None:
    given = [FakeConnection() for _ in range(3)]
    leaving = asyncio.create_task(opened_connections(*given).retire(0))
    for count in (1, 2, 3):
        await asyncio.sleep(0)
        assert sum(len(connection.done) for connection in given) == count
    await leaving


async def test_half_a_frame_is_waited_for_and_not_for_ever() -> None:
    now = asyncio.get_running_loop().time()
    patience = Limits().stall
    fresh, late, whole = (
        FakeConnection(now, stalled=True),
        FakeConnection(now - patience - 1, stalled=True),
        FakeConnection(now - 100),
    )
    opened_connections(fresh, late, whole).sweep()
    assert (fresh.done, late.done, whole.done) == ([], ["stalled"], [])
