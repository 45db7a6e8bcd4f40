"""Writes an order's mail when it is sent: what it says is true then, or it is not sent."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

import msgspec

from services.chassis.mail.target import AGGREGATE
from services.chassis.outbox import OutboxMessage
from services.chassis.postgres import Database
from services.order.adapters.letters import TRACKED, Letters
from services.order.application.ports import Orders, Refunds
from services.order.domain import links
from services.order.domain.orders import Order
from services.order.domain.states import State

_UNTRUE = {
    "placed": frozenset(
        (State.CLOSING, State.RELEASING, State.EXPIRED, State.CANCELLED, State.DECLINED, State.SOLD_OUT)
    ),
    "paid": frozenset((State.REFUNDING, State.REFUNDED)),
}
"""Where an order has moved on so far that the mail would say what is not so any more."""

UNPAID = frozenset(("placed", "cancelled"))
"""Mails about orders that nobody has paid: a guest can have them sent to any address."""
MOST_UNPAID = 10
"""Orders to one address within an hour of which such mails are sent. Beyond it the mails are held back, and not the
orders: strangers can neither fill a mailbox nor keep its owner from ordering."""


class _Mail(msgspec.Struct, frozen=True):
    order: UUID
    refund: UUID | None = None


class MailWriter:
    """`chance` gives so many random bytes."""

    def __init__(
        self,
        database: Database,
        orders: Orders,
        refunds: Refunds,
        letters: Letters,
        *,
        clock: Callable[[], datetime],
        chance: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._orders = orders
        self._refunds = refunds
        self._letters = letters
        self._clock = clock
        self._chance = chance

    async def __call__(self, message: OutboxMessage) -> EmailMessage | None:
        kind = message.path.removeprefix("/")
        mail = msgspec.json.decode(message.body, type=_Mail)
        order = await self._orders.get(mail.order)
        if order is None or order.state in _UNTRUE.get(kind, ()):
            return None
        if kind in UNPAID and not order.payment.authorised and await self._many(order):
            return None
        refunded = 0
        if mail.refund is not None:
            done = [each for each in await self._refunds.of(order.id) if each.state == "done"]
            refunded = sum(each.amount for each in done if each.id == mail.refund)
            if not refunded:
                return None  # it came back meanwhile
        token = await self._link(message, order.id) if order.guest else ""
        shipments = await self._orders.shipments(order.id) if kind in TRACKED else ()
        return self._letters.letter(kind, order, shipments, token, refunded)

    async def _many(self, order: Order) -> bool:
        """Whether as many were placed for its address within the hour before it. The same at each try."""
        (row,) = await self._database.fetch(
            "SELECT count(*) AS orders FROM (SELECT FROM orders WHERE email = $1 AND placed_at > $2 "
            "AND (placed_at, id) < ($3, $4) LIMIT $5) AS earlier",
            order.email,
            order.placed_at - timedelta(hours=1),
            order.placed_at,
            order.id,
            MOST_UNPAID,
        )
        found: int = row["orders"]
        return found == MOST_UNPAID

    async def _link(self, message: OutboxMessage, order: UUID) -> str:
        """The token is in the mail alone. One that is tried again has another, and the one before opens nothing."""
        token = links.token(self._chance(links.BYTES))
        await self._database.fetch(
            "INSERT INTO order_link (mail_id, digest, order_id, created_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (mail_id) DO UPDATE SET digest = excluded.digest",
            UUID(message.aggregate.removeprefix(AGGREGATE)),
            links.digest(token),
            order,
            self._clock(),
        )
        return token
