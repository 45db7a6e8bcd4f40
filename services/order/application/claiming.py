"""Orders of a guest who registers: they come to the account of who has confirmed the address that they name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.order.application.ports import Account, Orders, UnitOfWork
from services.order.domain.errors import Unconfirmed
from services.order.domain.orders import Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimService:
    orders: Orders
    work: UnitOfWork
    clock: Callable[[], datetime]

    async def claim(self, account: Account) -> int:
        """How many came to it. Raises Unconfirmed: an address that anybody can type proves nothing."""
        if not account.confirmed:
            raise Unconfirmed
        async with self.work.transaction():
            now = self.clock()
            claimed = await self.orders.claim(account.email, account.id, now)
            for order in claimed:
                standing = await self.orders.standing(order)
                await self.orders.record(
                    order,
                    Occurrence(
                        at=now,
                        event="claimed",
                        state=standing.state.value if standing else "",
                        actor=str(account.id),
                        note="",
                    ),
                )
        return len(claimed)
