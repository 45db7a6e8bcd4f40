"""What an order asks of others, as messages of the outbox: always the whole state that it wants, so that a later one
overtakes an earlier that is stuck. One path for each order and peer.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from services.chassis import outbox
from services.chassis.outbox import NewMessage
from services.chassis.postgres import Database
from services.order.application.ports import Orders
from services.order.domain.orders import Order
from services.order.domain.states import Command

CATALOG, PAYMENT, MAIL = "catalog", "payment", "mail"
"""The outbox's targets."""
_WAITING_MAILS = 10_000

_log = logging.getLogger(__name__)

_STOCK: Mapping[Command, Literal["held", "committed", "released"]] = {
    Command.HOLD_STOCK: "held",
    Command.COMMIT_STOCK: "committed",
    Command.RELEASE_STOCK: "released",
}
_MONEY: Mapping[Command, Literal["authorise", "capture", "void"]] = {
    Command.AUTHORISE_PAYMENT: "authorise",
    Command.CAPTURE_PAYMENT: "capture",
    Command.VOID_PAYMENT: "void",
}
_MAILS: Mapping[Command, str] = {
    Command.MAIL_PLACED: "placed",
    Command.MAIL_PAID: "paid",
    Command.MAIL_SHIPPED: "shipped",
    Command.MAIL_CANCELLED: "cancelled",
    Command.MAIL_REFUNDED: "refunded",
}


class StockLine(msgspec.Struct, frozen=True):
    variant_id: UUID
    quantity: int


class StockGoal(msgspec.Struct, frozen=True):
    goal: str
    lines: list[StockLine]


class PaymentGoal(msgspec.Struct, frozen=True, omit_defaults=True):
    """`wait`: the caller wants the page's address in the answer."""

    amount: int
    currency: str
    goal: str
    reference: str
    email: str
    lang: str
    return_url: str
    cancel_url: str
    wait: bool = False


class RefundGoal(msgspec.Struct, frozen=True):
    refund_id: UUID
    amount: int
    reason: str


class _Mail(msgspec.Struct, frozen=True, omit_defaults=True):
    order: UUID
    refund: UUID | None = None


def payment_goal(order: Order, goal: str, site: str, *, wait: bool = False) -> PaymentGoal:
    page = f"{site}/orders/{order.id}"
    return PaymentGoal(
        amount=order.total,
        currency=order.currency,
        goal=goal,
        reference=str(order.number),
        email=order.email,
        lang=order.lang,
        return_url=page,
        cancel_url=page,
        wait=wait,
    )


class OutboxMessages:
    """`site`: the public origin, to which the payment page sends shoppers back."""

    def __init__(
        self, database: Database, orders: Orders, site: str, new_id: Callable[[], UUID] = uuid4
    ) -> None:
        self._database = database
        self._orders = orders
        self._site = site
        self._new_id = new_id

    async def send(self, order: UUID, commands: Sequence[Command], known: Order | None = None) -> None:
        if known is None and not _MAILS.keys() >= set(commands):
            known = await self._orders.get(order)
        await self._put([self._message(order, command, known) for command in commands])

    async def refund(self, order: UUID, refund: UUID, amount: int, reason: str) -> None:
        asked = NewMessage(
            aggregate=f"order:{order}:refund:{refund}",  # none waits for another
            target=PAYMENT,
            method="POST",
            path=f"/internal/payments/{order}/refunds",
            body=RefundGoal(refund, amount, reason),
        )
        await self._put([asked])

    async def mail_refund(self, order: UUID, refund: UUID) -> None:
        await self._put([self._mail(order, "part_refunded", refund)])

    async def mail_correction(self, order: UUID) -> None:
        await self._put([self._mail(order, "shipment_corrected")])

    async def _put(self, messages: Sequence[NewMessage]) -> None:
        for dropped in await outbox.put_all(self._database, messages):
            _log.error("mail dropped: too many wait", extra={"kind": dropped.path[1:]})

    def _message(self, order: UUID, command: Command, known: Order | None) -> NewMessage:
        if command in _MAILS:
            return self._mail(order, _MAILS[command])
        if known is None:
            raise RuntimeError("there is no such order to ask others about")
        if command in _STOCK:
            lines = [StockLine(line.variant, line.quantity) for line in known.lines]
            return _wish(CATALOG, f"/internal/reservations/{order}", order, StockGoal(_STOCK[command], lines))
        goal = payment_goal(known, _MONEY[command], self._site)
        return _wish(PAYMENT, f"/internal/payments/{order}", order, goal)

    def _mail(self, order: UUID, kind: str, refund: UUID | None = None) -> NewMessage:
        return NewMessage(
            aggregate=f"mail:{self._new_id()}",
            target=MAIL,
            method="SEND",
            path=f"/{kind}",
            body=_Mail(order, refund),
            most=_WAITING_MAILS,
        )


def _wish(peer: str, path: str, order: UUID, body: msgspec.Struct) -> NewMessage:
    return NewMessage(aggregate=f"order:{order}:{peer}", target=peer, method="PUT", path=path, body=body)
