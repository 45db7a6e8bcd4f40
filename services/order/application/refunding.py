"""Refunds of a part: admitted here against what was not given back yet, and decided by payment, which has the books."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.field_codes import InvalidValue
from common.money import charged_in
from services.order.application.ports import Messages, Orders, Refunds, UnitOfWork
from services.order.application.progress import Versions
from services.order.domain import refunds
from services.order.domain.errors import InvalidOrder, RefundChanged, RequestRefused, Stale, UnknownOrder
from services.order.domain.orders import Occurrence, Order
from services.order.domain.refunds import Plan
from services.order.domain.states import State

REFUNDABLE = frozenset((State.PAID, State.SHIPPED, State.DELIVERED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Units by the position of their line and whether the shipping too; or an `amount`, which is of no line.
    `expected`: the sum that somebody was shown and agreed to."""

    lines: Mapping[int, int]
    shipping: bool
    amount: int | None
    reason: str
    note: str
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundService:
    orders: Orders
    refunds: Refunds
    messages: Messages
    work: UnitOfWork
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]

    async def preview(self, id_: UUID, wanted: Wanted) -> Plan:
        """Raises UnknownOrder, RequestRefused, InvalidOrder, InvalidRefund."""
        return await self._plan(await self._order(id_), wanted)

    async def refund(self, id_: UUID, wanted: Wanted, *, actor: str, versions: Versions) -> UUID:
        """The refund's id. Admitted under the order's row: of two at once the second is judged after the first.

        Raises UnknownOrder, RequestRefused, InvalidOrder, InvalidRefund, RefundChanged, Stale.
        """
        async with self.work.transaction():
            order = await self._order(id_)
            if versions is not None and order.version not in versions:
                raise Stale
            now, refund = self.clock(), self.new_id()
            # First, since it waits for whoever changes the order now; then what was refunded before is all of it.
            if not await self.orders.touch(id_, order.version, now):
                raise Stale
            plan = await self._plan(order, wanted)
            if wanted.expected not in (None, plan.amount):
                raise RefundChanged(plan.amount)
            await self.refunds.add(refund, id_, plan, wanted.reason, wanted.note, actor, now)
            await self.orders.record(
                id_,
                Occurrence(
                    at=now,
                    event="refund_requested",
                    state=order.state.value,
                    actor=actor,
                    note=f"{plan.amount} {order.currency}",
                ),
            )
            await self.messages.refund(id_, refund, plan.amount, wanted.reason)
        return refund

    async def settle(self, id_: UUID, refund: UUID, state: str) -> None:
        """What payment says became of it."""
        async with self.work.transaction():
            if not await self.refunds.settle(refund, state, self.clock()) or state == "pending":
                return
            standing = await self.orders.standing(id_)
            if standing is None:
                raise UnknownOrder
            if state == "done":
                await self.messages.mail_refund(id_, refund)
            await self.orders.record(
                id_,
                Occurrence(
                    at=self.clock(), event=f"refund_{state}", state=standing.state.value, actor="", note=""
                ),
            )

    async def _order(self, id_: UUID) -> Order:
        order = await self.orders.get(id_)
        if order is None:
            raise UnknownOrder
        if order.state not in REFUNDABLE:
            raise RequestRefused(order.state.value)
        return order

    async def _plan(self, order: Order, wanted: Wanted) -> Plan:
        before = refunds.with_providers(await self.refunds.before(order.id), order.total, order.payment)
        if wanted.amount is not None:
            return refunds.by_amount(wanted.amount, order.total, before, charged_in(order.currency))
        plan = refunds.by_lines(
            wanted.lines,
            with_shipping=wanted.shipping,
            lines=order.lines,
            shipping=order.shipping,
            total=order.total,
            before=before,
        )
        step = charged_in(order.currency)
        if plan.amount % step:  # goods of old prices, some of which make a sum that can be charged together
            raise InvalidOrder({"lines": InvalidValue("not_chargeable", step=step)})
        return plan
