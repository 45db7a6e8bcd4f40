"""Says again what orders want of stock and money, after catalog or payment was restored to an earlier moment.

What is wanted is a state and no step, so that those who know it already change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.order.application.ports import Messages, Orders, UnitOfWork
from services.order.domain.states import Command, State

STOCK: Mapping[State, Command] = {
    **dict.fromkeys((State.PLACED, State.HELD, State.PAYING, State.CLOSING), Command.HOLD_STOCK),
    **dict.fromkeys((State.AUTHORISED, State.COMMITTED, State.PAID), Command.COMMIT_STOCK),
    **dict.fromkeys((State.SHIPPED, State.DELIVERED, State.REFUNDING), Command.COMMIT_STOCK),
    **dict.fromkeys((State.RELEASING, State.EXPIRED, State.CANCELLED, State.DECLINED), Command.RELEASE_STOCK),
    **dict.fromkeys((State.SOLD_OUT, State.REFUNDED), Command.RELEASE_STOCK),
}
MONEY: Mapping[State, Command | None] = {
    **dict.fromkeys(
        (State.PLACED, State.HELD, State.SOLD_OUT), None
    ),  # payment has not heard of it, or need not
    **dict.fromkeys((State.PAYING, State.AUTHORISED), Command.AUTHORISE_PAYMENT),
    **dict.fromkeys((State.COMMITTED, State.PAID), Command.CAPTURE_PAYMENT),
    **dict.fromkeys((State.SHIPPED, State.DELIVERED), Command.CAPTURE_PAYMENT),
    **dict.fromkeys((State.CLOSING, State.RELEASING, State.REFUNDING), Command.VOID_PAYMENT),
    **dict.fromkeys((State.EXPIRED, State.CANCELLED, State.DECLINED), Command.VOID_PAYMENT),
    State.REFUNDED: Command.VOID_PAYMENT,
}
"""What an order wants of each, by its state."""


class ChangedOrders(Protocol):
    async def changed_since(self, moment: datetime) -> Sequence[UUID]: ...

    async def unknown(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """Those of `ids` that are no orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatementService:
    orders: Orders
    changed: ChangedOrders
    messages: Messages
    work: UnitOfWork

    async def restate(self, since: datetime) -> int:
        """Of every order that was changed since then. Returns how many."""
        ids = await self.changed.changed_since(since)
        for id_ in ids:
            async with self.work.transaction():
                standing = await self.orders.standing(id_)
                if standing is None:
                    continue
                # A change meanwhile is no harm: a later wish is never taken back by an earlier one that comes late.
                wanted = (STOCK[standing.state], MONEY[standing.state])
                await self.messages.send(id_, [command for command in wanted if command is not None])
        return len(ids)
