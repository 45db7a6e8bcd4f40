"""Looks for orders that nobody paid in time, beside the service, in every replica; repeats are harmless."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from services.chassis.rounds import rounds
from services.order.application.expiry import ExpiryService

EVERY_S = 5.0
BATCH = 50

_log = logging.getLogger(__name__)


class ExpiryLoop:
    """`beside`: what else is looked at in the same rounds."""

    def __init__(
        self, expiry: ExpiryService, beside: Callable[[], Awaitable[None]], *, every: float = EVERY_S
    ) -> None:
        self._expiry = expiry
        self._beside = beside
        self._every = every

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        return rounds("expiry of unpaid orders", self._round, every=self._every)

    async def _round(self) -> bool:
        found = await self._expiry.round(BATCH)
        await self._beside()
        return found >= BATCH
