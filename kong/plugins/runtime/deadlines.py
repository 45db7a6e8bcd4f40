"""Ends events that take too long, with one timer for all events of equal deadline.

They expire in the order in which they began, so the oldest alone needs a timer.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from kong.plugins.runtime import problems
from kong.plugins.runtime.problems import Problem


class Expiring(Protocol):
    """An event. `expires`: in the loop's seconds."""

    expires: float

    def refuse(self, problem: Problem, outcome: str) -> None:
        """End it in the phase's place."""


class Deadlines:
    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._events: dict[Expiring, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, event: Expiring) -> None:
        event.expires = self._loop.time() + self._seconds
        self._events[event] = None
        if self._timer is None:
            self._timer = self._loop.call_at(event.expires, self._expire)

    def remove(self, event: Expiring) -> None:
        self._events.pop(event, None)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        due = []
        for event in self._events:
            if event.expires > now:
                self._timer = self._loop.call_at(event.expires, self._expire)
                break
            due.append(event)
        for event in due:
            del self._events[event]
            event.refuse(problems.TOO_SLOW, "deadline")
