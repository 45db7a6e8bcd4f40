"""Orders that nobody paid in time. The clock frees nothing: each is closed by the table, which asks payment first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.order.application.ports import Orders
from services.order.application.progress import ProgressService
from services.order.domain.states import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryService:
    orders: Orders
    progress: ProgressService
    clock: Callable[[], datetime]

    async def round(self, limit: int) -> int:
        """Asks for those that are due. Returns how many. Safe to run in every replica."""
        due = await self.orders.due(self.clock(), limit)
        for order in due:
            await self.progress.apply(order, Event.HOLD_EXPIRED)
        return len(due)
