"""The task that a connection's phases run as.

A phase mostly waits for Kong, and is then resumed by hand, straight from the arrival of Kong's answer: no future, no
task switch, no extra turn of the event loop. Where it waits for something else (Redis, a sleep), the driver's task
waits in its place, and drives the phase until it waits for Kong again. Either way the driver is the current task and
its context the current context, so timeouts, cancel scopes and context variables work as in any task: entering a task
by hand is asyncio's documented extension point (https://docs.python.org/3/library/asyncio-extending.html).
"""

from __future__ import annotations

import asyncio
from asyncio import _enter_task, _leave_task
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from typing import Any, Protocol

KONG = object()
"""What a phase yields to wait for Kong's answers."""
ENDED = object()
"""What a step returns when the phase has ended."""


class DrivenPhase(Protocol):
    """A phase that is being driven."""

    def send(self, value: Any) -> object:
        """Resume the phase; return what it waits for now, KONG or ENDED. Raises nothing."""

    def throw(self, error: BaseException) -> object:
        """As `send`, with an exception."""


class PhaseDriver:
    """Drives one phase at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._context: Context = copy_context()
        self._phase: DrivenPhase | None = None
        self._waits_for: object = None
        self._begun = False
        self._wake: asyncio.Future[None] = loop.create_future()
        self.task: asyncio.Task[None] = loop.create_task(self._run(), context=self._context)

    def start(self, phase: DrivenPhase) -> None:
        """Begin a phase."""
        self._phase = phase
        self._step_as_task(phase.send, None)

    def resume(self, value: Any) -> None:
        """Give the phase the answers that it waits for. Not from inside a task."""
        if self._phase is not None:
            self._step_as_task(self._phase.send, value)

    def cancel(self) -> None:
        """Cancel the phase, or end the driver if there is none."""
        if self._begun:
            self.task.cancel()
        else:
            # A task cancelled before its first step would never tell the phase.
            self.loop.call_soon(self.task.cancel)

    @property
    def usable(self) -> bool:
        """Whether it can take another phase: not where a cancellation came too late for the last one."""
        return not self._wake.cancelled() and not self.task.done()

    def _step_as_task(self, step: Callable[[Any], object], value: Any) -> None:
        _enter_task(self.loop, self.task)
        try:
            waits_for = self._context.run(step, value)
        finally:
            _leave_task(self.loop, self.task)
        if waits_for is ENDED:
            self._release()
        elif waits_for is not KONG:
            self._waits_for = waits_for
            if not self._wake.done():  # else a cancellation is on its way, and the phase gets that instead
                self._wake.set_result(None)

    async def _run(self) -> None:
        self._begun = True
        while True:
            try:
                await self._wake
                waits_for = self._waits_for
            except asyncio.CancelledError as error:
                # Meant for the phase: by a timeout of its own, by its deadline, or because Kong is gone.
                if self._phase is None:
                    raise
                waits_for = self._phase.throw(error)
            self._wake = self.loop.create_future()
            if await _Waiting(self._phase, waits_for) is ENDED:
                self._release()

    def _release(self) -> None:
        self._phase = None
        while self.task.cancelling():
            self.task.uncancel()


class _Waiting:
    """Wait as the task for what the phase waits for, until that is Kong or nothing more."""

    def __init__(self, phase: DrivenPhase | None, waits_for: object) -> None:
        self._phase = phase
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, object]:
        phase, waits_for = self._phase, self._waits_for
        while phase is not None and waits_for is not KONG and waits_for is not ENDED:
            try:
                value = yield waits_for
            except BaseException as error:
                waits_for = phase.throw(error)
            else:
                waits_for = phase.send(value)
        return waits_for
