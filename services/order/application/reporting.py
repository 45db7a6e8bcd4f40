"""What payment tells of an order's money by itself: the latest news are kept, and each may be an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.order.application.ports import Messages, Orders, Refunds, UnitOfWork
from services.order.application.progress import ProgressService
from services.order.application.refunding import RefundService
from services.order.domain.errors import UnknownOrder
from services.order.domain.observations import OF_PAYMENT
from services.order.domain.orders import Payment
from services.order.domain.states import UNPAID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportService:
    orders: Orders
    refunds: Refunds
    refunding: RefundService
    messages: Messages
    progress: ProgressService
    work: UnitOfWork

    async def report(
        self, id_: UUID, payment: Payment, refunds: Sequence[tuple[UUID, str]], sequence: int | None
    ) -> None:
        """`refunds`: ids and states of those that this order has asked for. `sequence`: of two reports the later
        has the higher; older ones change nothing. Without one (nobody's outbox) it is no copy to keep, but still a
        fact. Raises UnknownOrder."""
        async with self.work.transaction():
            standing = None
            if sequence is not None:
                standing = await self.orders.remember_payment(id_, payment, sequence)
                if standing is None:
                    if await self.orders.standing(id_) is None:
                        raise UnknownOrder
                    return
            # The answer to the asking may be older than this and be taken later: then it is no news any more.
            for refund, state in refunds:
                await self.refunding.settle(id_, refund, state)
            if payment.captured and (standing is None or standing.state not in UNPAID):
                # The release before does not say what became of each. Asking again is answered with what it is by now.
                for refund, amount, reason in await self.refunds.pending(id_):
                    await self.messages.refund(id_, refund, amount, reason)
            event = OF_PAYMENT.get(payment.state)
            if event is not None:
                await self.progress.apply(id_, event, known=standing)
