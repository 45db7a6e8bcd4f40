"""One part under supervision: started when what it needs is ready, watched, started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from devstack.errors import NotReadyError
from devstack.logs import Logs
from devstack.part import Part, State
from devstack.process import Process

PROBE_INTERVAL = 0.1  # seconds
# Seconds before a dead part is started again: at once the first time, the last one for all that follow.
BACKOFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
STEADY_AFTER = 30.0  # seconds of life after which the next death is a first one again


@dataclass
class Unit:
    """The life of a part. `on_change` is told of every new state."""

    part: Part
    logs: Logs
    on_change: Callable[[Unit], None]
    state: State = State.WAITING
    restarts: int = 0  # starts that nobody asked for
    reason: str = ""  # why it is not ready, where there is more to say
    started_at: float = 0.0
    _process: Process | None = None
    _watch: asyncio.Task[None] | None = None
    _ready: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def process(self) -> Process | None:
        return self._process

    async def until_ready(self) -> None:
        await self._ready.wait()

    async def start(self) -> None:
        """Bring it up and keep it up. Raises DevstackError if it does not become ready."""
        await asyncio.to_thread(self.part.check)
        await asyncio.to_thread(self.part.prepare)
        await self._start_prepared()

    async def restart(self) -> str:
        """Reload what can be reloaded, else end it and start it anew; says which. Raises as start does.

        Check first: while an edited file is refused, what runs goes on running.
        """
        if self.part.reload is not None and self.state is State.READY:
            return await asyncio.to_thread(self.part.reload)
        await asyncio.to_thread(self.part.check)
        await asyncio.to_thread(self.part.prepare)
        await self.stop()
        await self._start_prepared()
        return f"{self.part.name} is ready."

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        if self._process is not None:
            await self._process.stop(self.part.stop_deadline)
            self._process = None
        if self.state is not State.FAILED:
            self._become(State.STOPPED)

    async def _start_prepared(self) -> None:
        try:
            await self._launch(State.STARTING)
        except BaseException as error:
            if isinstance(error, Exception):  # else it was cancelled, because another part failed
                self._become(State.FAILED, str(error))
            if self._process is not None:
                await self._process.stop(self.part.stop_deadline)
                self._process = None
            raise
        self._watch = asyncio.create_task(self._keep_up())

    async def _launch(self, state: State) -> None:
        self._become(state)
        self.started_at = time.monotonic()
        self.logs.forget(self.part.name)
        self._process = await Process.start(
            self.part.command(), lambda lines: self.logs.write(self.part.name, lines)
        )
        await self._become_healthy(self._process)
        await asyncio.to_thread(self.part.finish)
        self._become(State.READY)

    async def _become_healthy(self, process: Process) -> None:
        give_up = self.started_at + self.part.start_deadline
        while not await self.part.ready():
            if process.exit_status is not None:
                status = await process.wait()
                raise NotReadyError(self._failure(f"ended with status {status} while it started"))
            if time.monotonic() > give_up:
                raise NotReadyError(
                    self._failure(f"was not ready within {self.part.start_deadline:.0f} seconds")
                )
            await asyncio.sleep(PROBE_INTERVAL)
        if process.exit_status is not None:  # something else answered the probe
            raise NotReadyError(
                self._failure("ended while it started, and something else answers in its place")
            )

    def _failure(self, what: str) -> str:
        quoted = "".join(f"\n    {line}" for line in self.logs.recent(self.part.name))
        return f"{self.part.name} {what}.{' Its last words:' + quoted if quoted else ' It said nothing.'}"

    async def _keep_up(self) -> None:
        deaths = 0
        while True:
            if self._process is not None:
                status = await self._process.wait()
                if time.monotonic() - self.started_at > STEADY_AFTER:
                    deaths = 0
                self._become(State.RESTARTING, f"ended with status {status}")
            pause = BACKOFF[min(deaths, len(BACKOFF) - 1)]
            self.logs.write("devstack", f"{self.part.name} {self.reason}; starts again in {pause:g} s")
            await asyncio.sleep(pause)
            deaths += 1
            self.restarts += 1
            try:
                await asyncio.to_thread(self.part.prepare)
                await self._launch(State.RESTARTING)
            except Exception as error:
                if self._process is not None:
                    await self._process.stop(self.part.stop_deadline)
                    self._process = None
                self._become(State.RESTARTING, str(error))

    def _become(self, state: State, reason: str = "") -> None:
        self.state = state
        self.reason = reason
        if state is State.READY:
            self._ready.set()
        else:
            self._ready.clear()
        self.on_change(self)
