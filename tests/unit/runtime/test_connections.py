"""The open connections of one worker."""

import asyncio

import pytest

from kong.plugins.runtime import connections as module
from kong.plugins.runtime.connections import Connections
from kong.plugins.runtime.limits import Limits
from kong.plugins.runtime.problems import Problem


class FakeConnection:
    """A connection that says what was done to it."""

    def __init__(self, last_received: float = 0.0, *, busy: bool = False, stalled: bool = False) -> None:
        self.last_received = last_received
        self.evictable = not busy
        self.stalled = stalled
        self.leaving = False
        self.done: list[str] = []

    def retire(self) -> None:
        self.leaving = True
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


async def test_who_was_not_idle_is_asked_again_for_as_long_as_there_is_time() -> None:
    class Busy(FakeConnection):
        """Idle when it is asked for the third time."""

        def retire(self) -> None:
            super().retire()
            self.leaving = len(self.done) == 3

    idle, busy = FakeConnection(), Busy(busy=True)
    await opened_connections(idle, busy).retire(within=60)
    assert (idle.done, busy.done) == (["retired"], ["retired"] * 3)
    never = Busy()
    await opened_connections(never).retire(within=0)
    assert never.done == ["retired"] * 2  # at the end of the time once more, whoever went last


async def test_two_that_are_idle_at_once_do_not_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETIRE_INTERVAL", 3600)
    busy = FakeConnection(busy=True)
    connections = opened_connections(busy)
    assert connections.lets_go() and connections.lets_go(), "nobody leaves: one that makes room need not wait"
    leaving = asyncio.create_task(connections.retire(within=7200))
    await asyncio.sleep(0)
    assert [connections.lets_go() for _ in range(2)] == [False, False]
    leaving.cancel()


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
