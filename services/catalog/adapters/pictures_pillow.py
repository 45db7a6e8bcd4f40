"""Renders each picture in a process of its own, away from the event loop, within a time and only so many at once.

The process gets the file and nothing else: no environment with secrets, and what it answers is parsed like any input.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress

import msgspec

from services.catalog.adapters import picture_worker
from services.catalog.domain.errors import UnfitPicture
from services.catalog.domain.pictures import Fault, Rendered
from services.chassis.errors import Unavailable

_MOST_BYTES = 16 * 1024 * 1024
"""Of an answer: three WebP pictures, of which the largest has 1600 pixels a line."""
_OUTCOME: msgspec.msgpack.Decoder[Rendered | Fault] = msgspec.msgpack.Decoder(Rendered | Fault)


class PillowRenderer:
    """`seconds` bounds one picture, `processes` how many are read at once, `waiting` how many more may wait."""

    def __init__(self, *, seconds: float = 10.0, processes: int = 1, waiting: int = 4) -> None:
        self._seconds = seconds
        self._turns = asyncio.Semaphore(processes)
        self._most = processes + waiting
        self._inside = 0

    async def render(self, data: bytes) -> Rendered:
        """Raises UnfitPicture, and Unavailable where too many wait already."""
        if self._inside >= self._most:
            raise Unavailable("Too many pictures are being read at once; send this one again in a moment.")
        self._inside += 1
        try:
            async with self._turns:
                outcome = await self._outcome(data)
        finally:
            self._inside -= 1
        if isinstance(outcome, Fault):
            raise UnfitPicture(outcome)
        return outcome

    async def _outcome(self, data: bytes) -> Rendered | Fault:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", picture_worker.__name__),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        try:
            async with asyncio.timeout(self._seconds):
                answer = await _exchange(worker, data)
                code = await worker.wait()
            if code > 0:
                raise RuntimeError(
                    f"the picture's process ended with {code}; {picture_worker.__name__} does not run"
                )
            return Fault.TOO_COSTLY if code < 0 else _OUTCOME.decode(answer)
        except (TimeoutError, msgspec.DecodeError):
            return Fault.TOO_COSTLY
        finally:
            with suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()


async def _exchange(worker: asyncio.subprocess.Process, data: bytes) -> bytes:
    """Sends the file and reads the answer to its end, or to the most that is believed of it."""
    if worker.stdin is None or worker.stdout is None:
        raise TypeError("the process has to have pipes")
    with suppress(ConnectionError):
        worker.stdin.write(data)
        await worker.stdin.drain()
        worker.stdin.close()
    try:
        return await worker.stdout.readexactly(_MOST_BYTES)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
