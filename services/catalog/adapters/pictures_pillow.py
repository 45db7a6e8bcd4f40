"""Renders pictures in worker processes, away from the event loop, each within a time and only so many at once."""

import asyncio

from anyio import BrokenWorkerProcess, CapacityLimiter, to_process

from services.catalog.adapters import picture_worker
from services.catalog.domain.errors import UnfitPicture
from services.catalog.domain.pictures import Fault, Rendered
from services.chassis.errors import Unavailable


class PillowRenderer:
    """`seconds` bounds one picture, `processes` how many are read at once, `waiting` how many more may wait."""

    def __init__(self, *, seconds: float = 10.0, processes: int = 1, waiting: int = 4) -> None:
        self._seconds = seconds
        self._processes = processes
        self._most = processes + waiting
        self._limiter: CapacityLimiter | None = None
        self._inside = 0

    async def render(self, data: bytes) -> Rendered:
        """Raises UnfitPicture, and Unavailable where too many wait already."""
        if self._inside >= self._most:
            raise Unavailable("Too many pictures are being read at once; send this one again in a moment.")
        limiter = self._limiter = self._limiter or CapacityLimiter(self._processes)
        self._inside += 1
        try:
            async with limiter, asyncio.timeout(self._seconds):
                # Cancelling ends the process, whatever it is at.
                outcome = await to_process.run_sync(picture_worker.render_in_worker, data, cancellable=True)
        except (TimeoutError, BrokenWorkerProcess) as fault:
            raise UnfitPicture(Fault.TOO_COSTLY) from fault
        finally:
            self._inside -= 1
        if isinstance(outcome, Fault):
            raise UnfitPicture(outcome)
        return outcome
