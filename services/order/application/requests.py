"""What people ask of an order: to see it, to pay it, to cancel it, to say that it is on its way or there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.order.application.ports import (
    Messages,
    Orders,
    PaymentPage,
    Payments,
    Refunds,
    Standing,
    UnitOfWork,
)
from services.order.application.progress import ProgressService, Versions
from services.order.domain.actions import SENT
from services.order.domain.errors import NothingToSend, RequestRefused, Stale, UnknownOrder
from services.order.domain.observations import OF_PAYMENT
from services.order.domain.orders import Occurrence, Order, Shipment
from services.order.domain.refunds import all_given_back, with_providers
from services.order.domain.states import Event


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `link`: the digest of the token in a mailed link, which opens one order for reading."""

    id: UUID | None
    is_admin: bool = False
    link: bytes | None = None

    @property
    def name(self) -> str:
        return str(self.id) if self.id else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestService:
    orders: Orders
    refunds: Refunds
    progress: ProgressService
    messages: Messages
    payments: Payments
    work: UnitOfWork
    clock: Callable[[], datetime]

    async def read(self, caller: Caller, id_: UUID) -> Order:
        """Raises UnknownOrder, also for another's: whether it exists is nobody else's business."""
        order = await self.orders.get(id_)
        if order is None or not await self._may_read(caller, order):
            raise UnknownOrder
        return order

    async def owned(self, caller: Caller, id_: UUID) -> Order:
        """For changing it: a link does not do. Raises UnknownOrder."""
        order = await self.orders.get(id_)
        if order is None or not (caller.is_admin or order.owner == caller.id):
            raise UnknownOrder
        return order

    async def bought(self, caller: Caller, id_: UUID) -> Sequence[tuple[str, int]]:
        """SKUs and quantities of one's own order. Raises UnknownOrder."""
        order = await self.orders.get(id_)
        if order is None or order.owner != caller.id:
            raise UnknownOrder
        return [(line.sku, line.quantity) for line in order.lines]

    async def pay(self, caller: Caller, id_: UUID) -> PaymentPage:
        """Where to pay; the same page while it lives. Raises UnknownOrder, RequestRefused, PaymentUnavailable."""
        order = await self.orders.get(id_)
        if order is None or order.owner != caller.id:
            raise UnknownOrder
        standing = Standing(order.state, order.reason, order.version)
        await self.progress.apply(id_, Event.PAY_REQUESTED, actor=caller.name, known=standing)
        # After the commit. Where no answer comes, asking again is answered with the same page.
        page = await self.payments.page(order)
        if (event := OF_PAYMENT.get(page.state)) is not None:
            await self.progress.apply(id_, event)
        if page.url is None:
            raise RequestRefused(page.state)
        return page

    async def cancel(self, caller: Caller, id_: UUID, versions: Versions) -> Order:
        """Raises UnknownOrder, RequestRefused, Stale."""
        await self.owned(caller, id_)
        await self.progress.apply(id_, Event.CANCEL_REQUESTED, actor=caller.name, versions=versions)
        return await self.owned(caller, id_)

    async def ship(self, caller: Caller, id_: UUID, shipment: Shipment, versions: Versions) -> Order:
        """Raises UnknownOrder, RequestRefused, NothingToSend, Stale."""
        async with self.work.transaction():
            note = shipment.label
            await self.progress.apply(
                id_, Event.SHIP_REQUESTED, actor=caller.name, note=note, versions=versions
            )
            # After it: the order's row is ours by now, and refunds are admitted under it.
            order = await self.owned(caller, id_)
            before = with_providers(await self.refunds.before(id_), order.total, order.payment)
            if all_given_back(order.lines, order.total, before):
                raise NothingToSend
            await self.orders.ship(id_, shipment)
        return order

    async def correct_shipment(
        self, caller: Caller, id_: UUID, shipment: Shipment, versions: Versions
    ) -> Order:
        """Puts right what was said of the latest shipment, and tells the shopper; what is right already stays as it is.
        The timeline keeps what was said before.

        Raises UnknownOrder, RequestRefused, Stale.
        """
        async with self.work.transaction():
            order = await self.owned(caller, id_)
            if versions is not None and order.version not in versions:
                raise Stale
            if order.state not in SENT:
                raise RequestRefused(order.state.value)
            said = await self.orders.shipments(id_)
            if said and replace(said[-1], at=shipment.at) == shipment:
                return order
            if not await self.orders.touch(id_, order.version, shipment.at):
                raise Stale
            await self.orders.correct_shipment(id_, shipment.carrier, shipment.tracking_number)
            await self.orders.record(
                id_,
                Occurrence(
                    at=shipment.at,
                    event="shipment_corrected",
                    state=order.state.value,
                    actor=caller.name,
                    note=shipment.label,
                ),
            )
            await self.messages.mail_correction(id_)
        return await self.owned(caller, id_)

    async def deliver(self, caller: Caller, id_: UUID, versions: Versions) -> Order:
        """Raises UnknownOrder, RequestRefused, Stale."""
        await self.progress.apply(id_, Event.DELIVER_REQUESTED, actor=caller.name, versions=versions)
        return await self.owned(caller, id_)

    async def _may_read(self, caller: Caller, order: Order) -> bool:
        if caller.is_admin or (caller.id is not None and order.owner == caller.id):
            return True
        return caller.link is not None and await self.orders.opened_by(caller.link) == order.id
