"""One child process: its start, its output line by line, its end with all of its group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from devstack.command import Command

LINE_LIMIT = 1 << 20  # bytes; a longer line is cut into pieces
READ_AT_ONCE = 1 << 16  # bytes
GATHERED = 0.02
"""Seconds in which lines gather: each of a gateway's thousands under load would wake the supervisor."""


class Process:
    """A running command. What it writes goes to `on_lines`: one line or several, without the last one's end."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        command: Command,
        lines: asyncio.StreamReader,
        pipe: asyncio.ReadTransport,
        on_lines: Callable[[str], None],
    ) -> None:
        self._process = process
        self._command = command
        self._pipe = pipe
        self._output = asyncio.create_task(_pump(lines, pipe, on_lines))

    @classmethod
    async def start(cls, command: Command, on_lines: Callable[[str], None]) -> Process:
        # A pipe of our own: with asyncio's, an end would be noticed only when every child has closed it too.
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command.leashed(),
                env=command.environment(),
                cwd=command.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        lines = asyncio.StreamReader(limit=READ_AT_ONCE)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(reading, "rb", buffering=0)
        )
        return cls(process, command, lines, pipe, on_lines)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        """The exit status, once the process is gone and its last words are read."""
        status = await self._process.wait()
        self._signal_group(signal.SIGKILL)  # what it left behind
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.shield(self._output)
        self._output.cancel()
        self._pipe.close()
        return status

    def send(self, number: signal.Signals) -> None:
        """To the process itself; does nothing if it is gone."""
        if self.exit_status is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def stop(self, deadline: float) -> None:
        """Ask it to end; after `deadline` seconds end it with its whole group."""
        self.send(self._command.stop)
        try:
            async with asyncio.timeout(deadline):
                await self.wait()
        except TimeoutError:
            self._signal_group(signal.SIGKILL)
            self.send(signal.SIGKILL)
            await self.wait()

    def _signal_group(self, number: signal.Signals) -> None:
        # The leash made the process the leader of its own group, so its id is the group's.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


async def _pump(
    output: asyncio.StreamReader, pipe: asyncio.ReadTransport, on_lines: Callable[[str], None]
) -> None:
    begun = b""
    while read := await output.read(READ_AT_ONCE):
        whole, end, rest = read.rpartition(b"\n")
        if end:
            on_lines((begun + whole).decode(errors="replace").replace("\r\n", "\n").rstrip("\r"))
            begun = rest
        else:
            begun += read
        if len(begun) >= LINE_LIMIT:
            on_lines(begun.decode(errors="replace"))
            begun = b""
        if len(read) < READ_AT_ONCE:
            pipe.pause_reading()
            await asyncio.sleep(GATHERED)
            pipe.resume_reading()
    if begun:
        on_lines(begun.decode(errors="replace").rstrip("\r"))
