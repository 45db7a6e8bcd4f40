"""The parent of the worker processes: makes the socket, starts workers, replaces them, stops them.

It imports no plugin and runs no event loop, so it stays small; and since it holds the listening socket, connections
wait in the backlog while a killed worker is replaced, and none is refused.

SIGTERM, SIGINT: drain and end. SIGHUP: new workers with the code and environment of now, then the old ones drain.
A worker whose event loop stands still for `STUCK` turns is killed: Kong has long answered 500 for it.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import selectors
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kong.plugins.runtime import listening, metrics, shared_configs
from kong.plugins.runtime.worker_process import State, WorkerProcess

log = logging.getLogger(__name__)

TURN = 1.0
"""Seconds between looks at the workers, signals aside."""
STUCK = 10
LOAD_LIMIT = 60.0
"""Seconds that a worker may take until it serves."""
BACKOFF = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds until a worker that died is replaced, by how many died in a row."""
STEADY = 10.0
"""Seconds of life after which a worker's death is not counted as in a row."""
KILL_GRACE = 3.0
"""Seconds beyond the drain before a worker is killed."""


@dataclass(frozen=True, slots=True)
class Settings:
    socket: Path
    socket_mode: int
    workers: int
    dump_to: Path | None
    metrics_address: tuple[str, int] | None
    drain: float
    """Seconds."""
    take_over: bool = False
    """Take the place of a server that lives, which is then free to end."""


class Supervisor:
    def __init__(self, settings: Settings, command: Sequence[str]) -> None:
        self._settings = settings
        self._command = command
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._monitor = _monitor(settings.metrics_address)
        self._configs = shared_configs.create()
        self._metrics = _Metrics(settings.workers)
        self._selector = selectors.DefaultSelector()
        self._workers: list[WorkerProcess] = []
        self._successors: list[WorkerProcess] = []
        self._retiring: list[WorkerProcess] = []
        self._replace_at: dict[int, float] = {}
        self._deaths = 0
        self._looked = 0.0
        self._inode = 0
        self._stopping = False
        self._reload = False

    def run(self) -> int:
        """Serve until told to stop. Returns the process's exit status. Raises SocketRefusedError."""
        listening.refuse_unfit(self._settings.socket, take_over=self._settings.take_over)
        self._watch_signals()
        try:
            if not self._first_start():
                return 1
            while not self._stopping or self._workers or self._successors or self._retiring:
                self._wait(self._until_due())
                self._turn()
            return 0
        finally:
            for worker in (*self._workers, *self._successors, *self._retiring):
                worker.process.kill()
                worker.process.wait()
            if self._inode:
                listening.remove(self._listener, self._settings.socket, self._inode)

    def _first_start(self) -> bool:
        """Load the plugin once, write its dump, then listen, then serve: whoever can connect finds the dump."""
        first = self._spawn(0, self._metrics)
        self._workers.append(first)
        while first.dump is None:
            self._wait(TURN)
            if first.gone() and first.dump is None and not self._stopping:
                log.error("the plugin did not load", extra={"status": first.process.returncode})
                return False
            if self._stopping:
                return True
        self._write_dump(first.dump)
        listening.bind(
            self._listener,
            self._settings.socket,
            self._settings.socket_mode,
            take_over=self._settings.take_over,
        )
        self._inode = self._settings.socket.stat().st_ino
        first.serve()
        self._workers += [self._spawn(row, self._metrics) for row in range(1, self._settings.workers)]
        return True

    def _until_due(self) -> float:
        soonest = min(self._replace_at.values(), default=float("inf")) - time.monotonic()
        return max(0.0, min(TURN, soonest))

    def _turn(self) -> None:
        for worker in (*self._workers, *self._successors):
            if worker.state is State.LOADING and worker.dump is not None:
                worker.serve()
        self._bury()
        if self._stopping:
            self._retiring += self._successors
            self._successors = []
            for worker in (*self._workers, *self._retiring):
                worker.stop(self._settings.drain + KILL_GRACE)
            return
        self._kill_stuck()
        self._replace()
        self._succeed()

    def _bury(self) -> None:
        """Take note of the dead."""
        now = time.monotonic()
        for worker in [w for w in (*self._workers, *self._successors, *self._retiring) if w.gone()]:
            self._stop_listening(worker)
            worker.control.close()
            status = worker.process.returncode
            if worker in self._workers:
                self._workers.remove(worker)
                if not self._stopping:
                    self._deaths = 0 if now - worker.born > STEADY else self._deaths
                    delay = BACKOFF[min(self._deaths, len(BACKOFF) - 1)]
                    self._deaths += 1
                    self._replace_at[worker.row] = now + delay
                    log.error("a worker died; it is replaced", extra={"status": status, "in_seconds": delay})
            elif worker in self._retiring:
                self._retiring.remove(worker)
            else:
                log.error("a new worker died; the old ones stay", extra={"status": status})
                self._give_up_successors()
        for worker in (*self._workers, *self._retiring):
            if now > worker.kill_at:
                worker.kill()

    def _kill_stuck(self) -> None:
        now = time.monotonic()
        if now - self._looked < TURN:
            return
        self._looked = now
        for worker in self._workers:
            loading = worker.state in (State.LOADING, State.STARTING)
            late = loading and now - worker.born > LOAD_LIMIT
            if late or worker.stuck(self._metrics.beats(worker.row), STUCK):
                log.error("a worker is stuck; it is killed", extra={"worker": worker.process.pid})
                worker.kill()

    def _replace(self) -> None:
        now = time.monotonic()
        for row in [row for row, when in self._replace_at.items() if when <= now]:
            del self._replace_at[row]
            self._workers.append(self._spawn(row, self._metrics))

    def _succeed(self) -> None:
        """A reload: start successors; when all of them serve, retire the workers."""
        if self._reload and not self._successors:
            self._reload = False
            self._next_metrics = _Metrics(self._settings.workers)
            self._successors = [self._spawn(row, self._next_metrics) for row in range(self._settings.workers)]
        elif self._successors and all(worker.state is State.SERVING for worker in self._successors):
            for worker in self._workers:
                worker.stop(self._settings.drain + KILL_GRACE)
            self._retiring += self._workers
            self._workers, self._successors = self._successors, []
            self._metrics.close()
            self._metrics = self._next_metrics
            self._write_dump(self._workers[0].dump or b"")
            log.info("reloaded")

    def _give_up_successors(self) -> None:
        for worker in self._successors:
            worker.stop(0.0)
            self._retiring.append(worker)
        self._successors = []
        self._retiring = [worker for worker in self._retiring if not worker.gone()]

    def _spawn(self, row: int, memory: _Metrics) -> WorkerProcess:
        monitor = -1 if self._monitor is None else self._monitor.fileno()
        descriptors = (self._listener.fileno(), monitor, self._configs, memory.descriptor)
        worker = WorkerProcess(self._command, descriptors, row)
        self._selector.register(worker.control, selectors.EVENT_READ, worker)
        return worker

    def _wait(self, seconds: float) -> None:
        """Until a worker says something, a signal comes, or the time is over."""
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, WorkerProcess):
                if not key.data.hear():
                    self._stop_listening(key.data)
            else:
                self._signals()

    def _stop_listening(self, worker: WorkerProcess) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(worker.control)

    def _watch_signals(self) -> None:
        reading, writing = socket.socketpair()
        writing.setblocking(False)
        signal.set_wakeup_fd(writing.fileno())
        self._wakeup = (reading, writing)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self._selector.register(reading, selectors.EVENT_READ)

    def _signals(self) -> None:
        for number in self._wakeup[0].recv(4096):
            if number in (signal.SIGTERM, signal.SIGINT):
                self._stopping = True
            elif number == signal.SIGHUP:
                self._reload = True

    def _write_dump(self, dump: bytes) -> None:
        """Whole or not at all: Kong reads it at any time."""
        target = self._settings.dump_to
        if target is None:
            return
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            file.write(dump + b"\n")
        Path(file.name).chmod(0o644)
        Path(file.name).replace(target)


class _Metrics:
    """One generation of workers' shared cells."""

    def __init__(self, workers: int) -> None:
        self.descriptor = shared_configs.anonymous_file("kong-plugin-metrics")
        os.ftruncate(self.descriptor, workers * metrics.ROW_BYTES)
        self._cells = memoryview(mmap.mmap(self.descriptor, 0)).cast("q")

    def beats(self, row: int) -> int:
        return self._cells[row * metrics.CELLS]

    def close(self) -> None:
        os.close(self.descriptor)


def _monitor(address: tuple[str, int] | None) -> socket.socket | None:
    if address is None:
        return None
    return socket.create_server(address, backlog=64)
