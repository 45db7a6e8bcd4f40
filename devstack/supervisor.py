"""The stack as a whole: an ordered start, all or nothing; a clean stop in the opposite order."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from devstack import ports
from devstack.errors import DevstackError
from devstack.logs import Logs
from devstack.part import Part
from devstack.unit import Unit


class Supervisor:
    """Runs the parts that the topology lists. `on_change` is told of every new state of one of them."""

    def __init__(
        self, parts: Sequence[Part], logs: Logs, process_list: Path, on_change: Callable[[Unit], None]
    ) -> None:
        self._units = {part.name: Unit(part, logs, self._changed) for part in parts}
        self._process_list = process_list
        self._on_change = on_change
        self._stopping = asyncio.Event()
        self.up = False

    async def start(self) -> None:
        """Start every part, each as soon as those that it needs are ready.

        Raises DevstackError, with nothing left running, if one does not become ready.
        """
        ports.require_free(unit.part for unit in self._units.values())
        try:
            async with asyncio.TaskGroup() as group:
                for unit in self._units.values():
                    group.create_task(self._start_in_turn(unit))
        except asyncio.CancelledError:
            await self.stop()
            raise
        except ExceptionGroup as errors:
            await self.stop()
            expected, rest = errors.split((DevstackError, OSError))
            if expected is None or rest is not None:
                raise
            raise DevstackError("\n".join(str(error) for error in _leaves(expected))) from errors
        self.up = True

    async def asked_to_stop(self) -> None:
        """Returns when somebody wants the end."""
        await self._stopping.wait()

    def ask_to_stop(self) -> None:
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    async def stop(self) -> None:
        """End every process; those that others need go last."""
        self.up = False
        remaining = dict(self._units)
        while remaining:
            needed = {name for unit in remaining.values() for name in unit.part.needs}
            leaving = [unit for name, unit in remaining.items() if name not in needed]
            await asyncio.gather(*(unit.stop() for unit in leaving))
            for unit in leaving:
                del remaining[unit.part.name]
        self._process_list.unlink(missing_ok=True)

    async def restart(self, name: str) -> str:
        """What was done. Raises DevstackError if there is no such part, or it does not become ready."""
        return await self._unit(name).restart()

    async def stop_one(self, name: str) -> None:
        """End a part and leave it so until somebody restarts it."""
        await self._unit(name).stop()

    def kill(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part's process, to see how the rest bears it."""
        process = self._unit(name).process
        if process is None:
            raise DevstackError(f"{name} has no process just now")
        process.send(number)

    def status(self) -> list[dict[str, Any]]:
        """One entry a part: name, state, process id, restarts, seconds in this life, URL, note, reason."""
        now = time.monotonic()
        return [
            {
                "name": unit.part.name,
                "state": unit.state.value,
                "pid": unit.pid,
                "restarts": unit.restarts,
                "seconds": round(now - unit.started_at, 1) if unit.started_at else 0.0,
                "url": unit.part.url,
                "metrics": unit.part.metrics,
                "note": unit.part.note,
                "reason": unit.reason or unit.part.remark(),
            }
            for unit in self._units.values()
        ]

    async def _start_in_turn(self, unit: Unit) -> None:
        for name in unit.part.needs:
            await self._units[name].until_ready()
        await unit.start()

    def _unit(self, name: str) -> Unit:
        if name not in self._units:
            raise DevstackError(f"there is no part {name!r}; the parts are {', '.join(self._units)}")
        return self._units[name]

    def _changed(self, unit: Unit) -> None:
        self._record_processes()
        self._on_change(unit)

    def _record_processes(self) -> None:
        """For a later `down`, should this supervisor be killed where the leash cannot end its children."""
        entries = []
        for unit in self._units.values():
            if unit.pid is not None and psutil.pid_exists(unit.pid):
                try:
                    entries.append([unit.pid, psutil.Process(unit.pid).create_time()])
                except psutil.NoSuchProcess:
                    continue
        self._process_list.write_text(json.dumps(entries))


def _leaves(group: BaseExceptionGroup[Exception]) -> list[BaseException]:
    """The exceptions in a group, those of nested groups included."""
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
