"""What a Service of Kubernetes does with connections: each new one to a target that is ready; open ones go on."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 64 * 1024


class Balancer:
    """Listens on one port for several targets (port numbers on loopback), in turn over those that are in `ready`."""

    def __init__(self, port: int, targets: dict[str, int]) -> None:
        self.port = port
        self._targets = targets
        self.ready = set(targets)
        self._turn = itertools.count()
        self.open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self) -> asyncio.Server:
        self._loop = asyncio.get_running_loop()
        return await asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=512)

    def cut(self) -> None:
        """Nothing passes any more: open connections end, and new ones at once."""
        self.ready.clear()
        for writer in list(self.open):
            self._loop.call_soon_threadsafe(writer.transport.abort)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ready = sorted(self.ready)
        if not ready:
            writer.transport.abort()
            return
        target = self._targets[ready[next(self._turn) % len(ready)]]
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, inner_writer}
        self.open |= both
        try:
            await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))
        finally:
            for each in both:
                each.transport.abort()
            self.open -= both


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one end is closed; then the other one is too."""
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()


@contextmanager
def serving(*balancers: Balancer) -> Iterator[None]:
    """All of them in a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def end() -> None:
        for server in servers:
            server.close()
        for writer in [writer for each in balancers for writer in each.open]:
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others, timeout=5) if others else None

    servers = [asyncio.run_coroutine_threadsafe(each.serve(), loop).result(10) for each in balancers]
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
