"""One child process: its start, its output line by line, its end with all of its group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from devstack.command import Command

LINE_LIMIT = 1 << 20  # bytes; a longer line is cut into pieces


class Process:
    """A running command. Every line that it writes goes to `on_line`, without the line's end."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        command: Command,
        lines: asyncio.StreamReader,
        pipe: asyncio.BaseTransport,
        on_line: Callable[[str], None],
    ) -> None:
        self._process = process
        self._command = command
        self._pipe = pipe
        self._output = asyncio.create_task(_pump(lines, on_line))

    @classmethod
    async def start(cls, command: Command, on_line: Callable[[str], None]) -> Process:
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
        lines = asyncio.StreamReader(limit=LINE_LIMIT)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(reading, "rb", buffering=0)
        )
        return cls(process, command, lines, pipe, on_line)

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


async def _pump(lines: asyncio.StreamReader, on_line: Callable[[str], None]) -> None:
    while True:
        try:
            line = await lines.readline()
        except ValueError:  # over LINE_LIMIT: what was read is dropped
            continue
        if not line:
            return
        on_line(line.decode(errors="replace").rstrip("\r\n"))
