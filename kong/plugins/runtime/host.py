"""What the connections of one worker share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kong.plugins.runtime import observed
from kong.plugins.runtime.deadlines import Deadlines
from kong.plugins.runtime.instances import Instance, Instances
from kong.plugins.runtime.limits import Limits
from kong.plugins.runtime.observed import PHASE_METRICS, PhaseMetrics
from kong.plugins.runtime.plugin import ServedPlugin

if TYPE_CHECKING:
    from kong.plugins.runtime.connection import Connection

_MOST_TARGETS = 8192


@dataclass(frozen=True, slots=True)
class Target:
    """What an event is for."""

    instance: Instance
    phase: str
    observed: PhaseMetrics


class Host:
    def __init__(
        self, loop: asyncio.AbstractEventLoop, plugin: ServedPlugin, instances: Instances, limits: Limits
    ) -> None:
        self.loop = loop
        self.plugin = plugin
        self.instances = instances
        self.limits = limits
        self.connections: set[Connection] = set()
        self._leaving: dict[Connection, None] = {}
        self.running = 0
        """Events whose phase has not ended, the overdue ones included."""
        self.draining = False
        self.now = loop.time()
        """Coarse: as of the last sweep."""
        self._targets: dict[bytes, Target] = {}
        self._deadlines: dict[float, Deadlines] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, connection: Connection) -> None:
        """Take a connection in; where there are too many, the one that has idled longest goes."""
        if len(self.connections) >= self.limits.connections:
            stalest = min((c for c in self.connections if c.evictable), key=lambda c: c.heard, default=None)
            if stalest is not None:
                observed.CONNECTIONS_ENDED.labels(reason="crowded").inc()
                self.leaving(stalest)
                stalest.retire()
        self.connections.add(connection)
        observed.CONNECTIONS.set(len(self.connections))

    def leaving(self, connection: Connection) -> None:
        """A connection is about to end; of those, too, there are only so many."""
        self.connections.discard(connection)
        self._leaving[connection] = None
        if len(self._leaving) > self.limits.connections:
            next(iter(self._leaving)).abort()

    def closed(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._leaving.pop(connection, None)
        observed.CONNECTIONS.set(len(self.connections))

    def has_room(self) -> bool:
        return self.running < self.limits.events

    def target(self, command: bytes) -> Target | None:
        """The target of an event's command (all of its bytes but the sequence), if it came before."""
        target = self._targets.get(command)
        if target is not None and target.instance.closed:
            del self._targets[command]
            return None
        return target

    def remember(self, command: bytes | None, instance: Instance, phase: str) -> Target:
        target = Target(instance, phase, PHASE_METRICS[phase])
        if command is not None:
            if len(self._targets) >= _MOST_TARGETS:
                self._targets.clear()
            self._targets[command] = target
        return target

    def deadlines(self, seconds: float) -> Deadlines:
        found = self._deadlines.get(seconds)
        if found is None:
            found = self._deadlines[seconds] = Deadlines(self.loop, seconds)
        return found

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def sweep(self) -> None:
        """Once a second: end connections that hold half a frame for too long."""
        self.now = self.loop.time()
        observed.RUNNING.set(self.running)
        for connection in list(self.connections):
            if connection.stalled and self.now - connection.heard > self.limits.stall:
                connection.drop("stalled")
