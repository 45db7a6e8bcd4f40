"""A worker process: serves the plugin on sockets that the supervisor made, until it is told to stop.

It tells the supervisor over its control channel what the plugin is (`loaded`), waits for the word to serve (`serve`),
and takes the end of that channel as the end of the supervisor.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import mmap
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from kong.plugins.runtime import logs, metrics, problems, runtime_metrics
from kong.plugins.runtime.connection import Connection
from kong.plugins.runtime.host import Host
from kong.plugins.runtime.instances import Instances
from kong.plugins.runtime.limits import Limits
from kong.plugins.runtime.monitor import Monitor
from kong.plugins.runtime.plugin import load
from kong.plugins.runtime.shared_configs import SharedConfigs

log = logging.getLogger(__name__)

SWEEP_EVERY = 1.0
"""Seconds."""
DRAIN_GRACE = 1.0
"""Seconds after the drain for problems to be written and connections to close."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """The file descriptors that a worker gets from its supervisor."""

    listener: int
    monitor: int
    """-1 without a metrics port."""
    configs: int
    metrics: int
    row: int
    """The worker's own row of the metrics memory."""
    control: int


def run(name: str, package: str, level: str, limits: Limits, inherited: Inherited) -> int:
    """Serve until SIGTERM. Returns the process's exit status."""
    logs.configure(name, level)
    _die_with_parent()
    rows = memoryview(mmap.mmap(inherited.metrics, 0))
    metrics.attach(rows, inherited.row)
    try:
        import uvloop  # noqa: PLC0415 - where it installs

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        return runner.run(_Worker(name, package, limits, inherited).serve())


class _Worker:
    def __init__(self, name: str, package: str, limits: Limits, inherited: Inherited) -> None:
        self._plugin = load(name, package)
        self._limits = limits
        self._inherited = inherited
        self._stop = asyncio.Event()

    async def serve(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        instances = Instances(self._plugin, SharedConfigs(self._inherited.configs), self._limits.deadline)
        host = Host(loop, self._plugin, instances, self._limits)
        control = socket.socket(fileno=self._inherited.control)
        control.sendall(self._plugin.dump().encode() + b"\n")
        await loop.run_in_executor(None, control.recv, 1)
        await instances.preload()
        control.setblocking(False)
        loop.add_reader(control, self._supervisor_gone)
        listeners = [_listen(loop, self._inherited.listener, lambda: Connection(host))]
        if self._inherited.monitor >= 0:
            listeners.append(
                _listen(
                    loop,
                    self._inherited.monitor,
                    lambda: Monitor(self._plugin.name, lambda: not host.draining),
                )
            )
        control.send(b"s")
        log.info("serving", extra={"version": self._plugin.version, "phases": self._plugin.phases})
        await self._sweep(host)
        loop.remove_reader(listeners[0])
        await self._drain(host)
        await instances.stop()
        log.info("stopped")
        return 0

    async def _sweep(self, host: Host) -> None:
        while not self._stop.is_set():
            metrics.beat()
            runtime_metrics.RUNNING.set(host.running)
            host.connections.sweep()
            began = time.perf_counter_ns()
            try:
                await asyncio.wait_for(self._stop.wait(), SWEEP_EVERY)
            except TimeoutError:
                late = time.perf_counter_ns() - began - int(SWEEP_EVERY * 1e9)
                runtime_metrics.LOOP_LAG.observe(max(late, 0))

    async def _drain(self, host: Host) -> None:
        """Finish what runs, take nothing new; at the bound, refuse what still runs rather than break it off."""
        host.draining = True
        await host.connections.retire(self._limits.drain / 4)
        await self._until(lambda: not host.connections, self._limits.drain * 3 / 4)
        host.connections.refuse_now(problems.UNAVAILABLE)
        await self._until(lambda: not host.connections, DRAIN_GRACE)
        host.connections.abort()

    async def _until(self, done: Callable[[], bool], seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not done() and loop.time() < end:
            metrics.beat()
            await asyncio.sleep(0.02)

    def _supervisor_gone(self) -> None:
        log.error("the supervisor is gone; stopping")
        asyncio.get_running_loop().remove_reader(self._inherited.control)
        self._stop.set()


def _listen(
    loop: asyncio.AbstractEventLoop, descriptor: int, protocol: Callable[[], asyncio.Protocol]
) -> socket.socket:
    """Accept from a socket that other workers accept from too; its path is the supervisor's to remove."""
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    adopting: set[asyncio.Task[object]] = set()

    def accept() -> None:
        try:
            accepted, _ = listener.accept()
        except BlockingIOError:
            return  # another worker was faster
        except OSError:
            log.exception("cannot accept a connection")
            return
        task = loop.create_task(_adopt(loop, accepted, protocol))
        adopting.add(task)
        task.add_done_callback(adopting.discard)

    loop.add_reader(listener, accept)
    return listener


async def _adopt(
    loop: asyncio.AbstractEventLoop, accepted: socket.socket, protocol: Callable[[], asyncio.Protocol]
) -> None:
    try:
        await loop.connect_accepted_socket(protocol, accepted)
    except OSError as error:
        log.warning("a connection broke off as it opened: %s", error)
        accepted.close()


def _die_with_parent() -> None:
    """Have the kernel kill this process when its supervisor is killed: nobody else would."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
