"""Work beside the requests, in rounds, in every replica. A round that fails is told in the log, and the next one comes
all the same: without any, what it looks after would be left for ever.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from services.chassis.errors import Problem

_log = logging.getLogger(__name__)


@asynccontextmanager
async def rounds(
    name: str, act: Callable[[], Awaitable[bool | None]], *, every: float
) -> AsyncIterator[None]:
    """For as long as the context lasts. `act` says True if there is more to do at once; else `every` seconds pass."""
    task = asyncio.create_task(_run(name, act, every), name=name)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _run(name: str, act: Callable[[], Awaitable[bool | None]], every: float) -> None:
    while True:
        more: bool | None = False
        try:
            more = await act()
        except Problem as fault:
            _log.warning("a round failed", extra={"round": name, "cause": fault.detail})
        except Exception:
            _log.exception("a round failed", extra={"round": name})
        await asyncio.sleep(0 if more else every)
