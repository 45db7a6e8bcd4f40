"""The open connections of one worker: only so many, and none that holds half a frame for long."""

from __future__ import annotations

import asyncio
from typing import Protocol

from kong.plugins.runtime import runtime_metrics
from kong.plugins.runtime.limits import Limits
from kong.plugins.runtime.problems import Problem

RETIRE_INTERVAL = 0.01
"""Seconds between two connections that are retired: Kong has noticed the one before the next."""


class ManagedConnection(Protocol):
    """What is asked of a connection. `last_received`: when it last sent something, in the loop's seconds."""

    last_received: float

    @property
    def evictable(self) -> bool:
        """Whether it may go to make room: it is idle, or its last event is decided."""

    @property
    def stalled(self) -> bool:
        """Whether a frame has begun and not ended, outside of an event."""

    @property
    def leaving(self) -> bool:
        """Whether it takes no more commands."""

    def retire(self) -> None:
        """Take no more commands, if it is idle and `lets_go` allows it; close, if its last event is decided."""

    def refuse_now(self, problem: Problem) -> None:
        """End the event, if one runs, in its phase's place; it cannot be waited for any longer."""

    def drop(self, reason: str) -> None:
        """Close now."""

    def abort(self) -> None:
        """Break off, whatever runs."""


class Connections:
    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits) -> None:
        self._loop = loop
        self._limits = limits
        self._open: set[ManagedConnection] = set()
        self._leaving: dict[ManagedConnection, None] = {}
        self._pace = 0.0
        self._latest_to_go = -RETIRE_INTERVAL
        self.now = loop.time()
        """Coarse: as of the last sweep."""

    def __bool__(self) -> bool:
        return bool(self._open)

    def opened(self, connection: ManagedConnection) -> None:
        """Take a connection in; where there are too many, the one that has idled longest goes."""
        if len(self._open) >= self._limits.connections:
            stalest = min((c for c in self._open if c.evictable), key=lambda c: c.last_received, default=None)
            if stalest is not None:
                runtime_metrics.CONNECTIONS_ENDED.labels(reason="crowded").inc()
                self._leave(stalest)
                stalest.retire()
        self._open.add(connection)
        runtime_metrics.CONNECTIONS.set(len(self._open))

    def closed(self, connection: ManagedConnection) -> None:
        self._open.discard(connection)
        self._leaving.pop(connection, None)
        runtime_metrics.CONNECTIONS.set(len(self._open))

    def sweep(self) -> None:
        """Once a second: end connections that hold half a frame for too long."""
        self.now = self._loop.time()
        for connection in list(self._open):
            if connection.stalled and self.now - connection.last_received > self._limits.stall:
                connection.drop("stalled")

    async def retire(self, within: float) -> None:
        """Retire all, one after another, in so many seconds at most: when they are found idle, or at an event's end.

        An event on a connection that is closed at this moment Kong sends again on another one, after it has started
        its instance anew there; and if that one is closed at this moment as well, Kong fails the request.
        """
        connections = list(self._open)
        self._pace = min(RETIRE_INTERVAL, within / max(len(connections), 1))
        end = self._loop.time() + within
        while connections:
            for connection in connections:
                connection.retire()
                await asyncio.sleep(self._pace)
            if self._loop.time() >= end:
                break
            connections = [connection for connection in self._open if not connection.leaving]
        self._pace = 0.0
        for connection in list(self._open):
            if not connection.leaving:
                connection.retire()

    def lets_go(self) -> bool:
        """Whether one more may be retired now. Where all are being retired, Kong has to notice the one before first."""
        now = self._loop.time()
        if now - self._latest_to_go < self._pace:
            return False
        self._latest_to_go = now
        return True

    def refuse_now(self, problem: Problem) -> None:
        for connection in list(self._open):
            connection.refuse_now(problem)

    def abort(self) -> None:
        for connection in list(self._open):
            connection.abort()

    def _leave(self, connection: ManagedConnection) -> None:
        """A connection is about to end; of those, too, there are only so many."""
        self._open.discard(connection)
        self._leaving[connection] = None
        if len(self._leaving) > self._limits.connections:
            next(iter(self._leaving)).abort()
