"""CPU time of an event: this project's plugin runtime beside kong-pdk's own server, in one run.

The same plugin (read one header, set one), the same driver, 1, 16 and 64 connections; only the server's CPU time
counts, its workers' and supervisor's included. `python -m bench.plugin_runtime`; `--memory EVENTS` shows resident
memory over that many events. Numbers of different machines, or of a busy one, do not compare: ratios do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import msgpack  # type: ignore[import-untyped]
import psutil
import uvloop

from bench.figures import figure
from devstack.kongside.client import Wire, kong_config
from kong.plugins.runtime.frames import EMPTY, frame
from kong.plugins.runtime.wire import bytes_field, integer_field, tagged, tagged_integer

TOKEN = "Bearer " + "x" * 400


class Caller(Protocol):
    """Kong's side of one protocol."""

    async def event(self) -> None:
        """One request through the plugin."""


class Arrivals(asyncio.Protocol):
    """Says when something has come; cheaper than a stream, so that the driver keeps the server busy."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[bytes] | None = None
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport

    @classmethod
    async def connect(cls, socket: Path) -> Arrivals:
        _, arrivals = await asyncio.get_running_loop().create_unix_connection(cls, str(socket))
        return arrivals

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._waiting is not None:
            self._waiting.set_result(data)
            self._waiting = None

    async def send(self, data: bytes) -> bytes:
        """Send, and return what comes."""
        self._waiting = self._loop.create_future()
        self.transport.write(data)
        return await self._waiting


class ProtoBuf:
    """ProtoBuf:1: one connection for a whole event."""

    def __init__(self, arrivals: Arrivals, instance: int) -> None:
        self._arrivals = arrivals
        self._event = frame(
            tagged_integer(1, 5) + tagged(36, tagged(2, b"access") + tagged_integer(1, instance))
        )
        self._answer = frame(tagged(1, TOKEN.encode()))
        self._asked = frame(b"kong.request.get_header") + frame(tagged(1, b"authorization"))
        self._over = EMPTY + frame(tagged_integer(1, 5))

    @classmethod
    async def connect(cls, socket: Path, count: int) -> list[ProtoBuf]:
        wire = await Wire.connect(str(socket))
        start = tagged(1, b"light") + tagged(2, json.dumps(kong_config("light", {})).encode())
        await wire.write(tagged_integer(1, 1) + tagged(33, start))
        instance = integer_field(bytes_field(await wire.read(), 33) or b"", 2) or 0
        wire.close()
        return [cls(await Arrivals.connect(socket), instance) for _ in range(count)]

    async def event(self) -> None:
        assert await self._arrivals.send(self._event) == self._asked
        assert (await self._arrivals.send(self._answer)).endswith(self._over)
        self._arrivals.transport.write(EMPTY)


class MsgPack:
    """MsgPack:1: whichever connection of the pool is free, for each step."""

    def __init__(self, pool: list[Arrivals], instance: int) -> None:
        self._pool = pool
        self._instance = instance

    @classmethod
    async def connect(cls, socket: Path, count: int) -> list[MsgPack]:
        pool = [await Arrivals.connect(socket) for _ in range(count)]
        started = await cls(pool, 0)._call("plugin.StartInstance", {"Name": "light", "Config": "{}"})
        return [cls(pool, started["Id"]) for _ in range(count)]

    async def event(self) -> None:
        step = await self._call("plugin.HandleEvent", {"InstanceId": self._instance, "EventName": "access"})
        assert step["Data"]["Method"] == "kong.request.get_header"
        step = await self._call("plugin.Step", {"EventId": step["EventId"], "Data": TOKEN})
        assert step["Data"]["Method"] == "kong.service.request.set_header"
        step = await self._call("plugin.Step", {"EventId": step["EventId"], "Data": None})
        assert step["Data"] == "ret"

    async def _call(self, method: str, argument: dict[str, Any]) -> dict[str, Any]:
        connection = self._pool.pop()
        answer = msgpack.unpackb(await connection.send(msgpack.packb([0, 1, method, [argument]])))
        self._pool.append(connection)
        assert answer[2] is None, answer
        return cast("dict[str, Any]", answer[3])


Connect: TypeAlias = Callable[[Path, int], Awaitable[Sequence[Caller]]]


class Server:
    """A server process under measurement."""

    def __init__(self, command: list[str], socket: Path) -> None:
        self._process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not socket.exists():
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.05)
        time.sleep(0.5)

    def _processes(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def cpu(self) -> float:
        """Seconds so far."""
        times = [process.cpu_times() for process in self._processes()]
        return sum(t.user + t.system for t in times)

    def resident(self) -> int:
        return sum(process.memory_info().rss for process in self._processes())

    def stop(self) -> None:
        for process in reversed(self._processes()):
            process.terminate()
        self._process.wait(20)


async def drive(callers: Sequence[Caller], events: int) -> None:
    async def one(caller: Caller) -> None:
        for _ in range(events // len(callers)):
            await caller.event()

    await asyncio.gather(*map(one, callers))


async def measure(server: Server, connect: Connect, socket: Path, count: int, events: int) -> float:
    """CPU microseconds an event."""
    callers = await connect(socket, count)
    await drive(callers, max(count, events // 10))
    before = server.cpu()
    await drive(callers, events)
    return (server.cpu() - before) / (events // count * count) * 1e6


async def compare(events: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        ours, stock = Path(directory, "ours.socket"), Path(directory, "light.sock")
        servers = (
            ("this runtime", runtime(ours), ProtoBuf.connect, ours, events * 4),
            ("kong-pdk, threads", kong_pdk(stock), MsgPack.connect, stock, events),
        )
        print(f"{'connections':>12} {'this runtime':>16} {'kong-pdk':>12} {'ratio':>8}   (CPU µs an event)")
        try:
            for count in (1, 16, 64):
                costs = [await measure(s, connect, path, count, n) for _, s, connect, path, n in servers]
                figure(f"plugin event, {count} connections", costs[0], "cpu")
                figure(
                    f"plugin event, {count} connections, kong-pdk against it",
                    costs[1] / costs[0],
                    "ratio",
                    at_least=True,
                )
                print(
                    f"{count:>12} {costs[0]:>16.0f} {costs[1]:>12.0f} {costs[1] / costs[0]:>8.1f}", flush=True
                )
        finally:
            for _, server, *_ in servers:
                server.stop()


async def watch_memory(events: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory, "ours.socket")
        server = runtime(socket)
        try:
            callers = await ProtoBuf.connect(socket, 16)
            for tenth in range(11):
                print(
                    f"{events * tenth // 10:>10} events {server.resident() / 2**20:8.1f} MiB resident",
                    flush=True,
                )
                if tenth < 10:
                    await drive(callers, events // 10)
        finally:
            server.stop()


def runtime(socket: Path) -> Server:
    return Server([sys.executable, "-m", "bench.served", "light", "--socket", str(socket)], socket)


def kong_pdk(socket: Path) -> Server:
    return Server([sys.executable, "-m", "bench.served.stock", "-p", str(socket.parent)], socket)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--events", type=int, default=3000, help="for each number of connections (%(default)s)"
    )
    parser.add_argument(
        "--memory", type=int, metavar="EVENTS", help="show resident memory over so many events"
    )
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(watch_memory(options.memory) if options.memory else compare(options.events))
