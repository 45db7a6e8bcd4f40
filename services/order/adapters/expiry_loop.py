"""Looks for orders that nobody paid in time, beside the service, in every replica; repeats are harmless."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from services.chassis.errors import Problem
from services.order.application.expiry import Expiry

EVERY_S = 5.0
BATCH = 50

_log = logging.getLogger(__name__)


class ExpiryLoop:
    """`beside`: what else is looked at in the same rounds."""

    def __init__(
        self, expiry: Expiry, beside: Callable[[], Awaitable[None]], *, every: float = EVERY_S
    ) -> None:
        self._expiry = expiry
        self._beside = beside
        self._every = every

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run(), name="expiry of unpaid orders")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            found = 0
            try:
                found = await self._expiry.round(BATCH)
                await self._beside()
            except Problem as fault:
                _log.warning("unpaid orders were not looked for", extra={"cause": fault.detail})
            except Exception:
                # Whatever it is, the next round may do better; without any, stock would be held for ever.
                _log.exception("unpaid orders were not closed")
            if found < BATCH:
                await asyncio.sleep(self._every)
