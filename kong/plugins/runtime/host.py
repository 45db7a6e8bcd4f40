"""What the connections of one worker share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from kong.plugins.runtime.connections import Connections
from kong.plugins.runtime.deadlines import Deadlines
from kong.plugins.runtime.instances import Instance, Instances
from kong.plugins.runtime.limits import Limits
from kong.plugins.runtime.plugin import ServedPlugin
from kong.plugins.runtime.runtime_metrics import PHASE_METRICS, PhaseMetrics

_MOST_TARGETS = 8192


@dataclass(frozen=True, slots=True)
class Target:
    """What an event is for."""

    instance: Instance
    phase: str
    metrics: PhaseMetrics


class Host:
    def __init__(
        self, loop: asyncio.AbstractEventLoop, plugin: ServedPlugin, instances: Instances, limits: Limits
    ) -> None:
        self.loop = loop
        self.plugin = plugin
        self.instances = instances
        self.limits = limits
        self.connections = Connections(loop, limits)
        self.running = 0
        """Events whose phase has not ended, the overdue ones included."""
        self.draining = False
        self._targets: dict[bytes, Target] = {}
        self._deadlines: dict[float, Deadlines] = {}
        self._tasks: set[asyncio.Task[None]] = set()

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
