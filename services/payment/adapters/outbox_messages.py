"""Messages of a payment: to the order, how it is; to the provider's target, that there is something to do."""

from datetime import datetime
from uuid import UUID

import msgspec

from services.chassis import outbox
from services.chassis.postgres import Database
from services.payment.application.record import Record
from services.payment.domain.payments import State

PROVIDER = "provider"
ORDER = "order"


class PaymentView(msgspec.Struct, frozen=True):
    """All that the order sees of it; amounts are totals in minor units."""

    state: str
    authorised: int
    captured: int
    refunded: int
    refund_pending: int


class Told(PaymentView, frozen=True):
    occurred_at: datetime


class Wanted(msgspec.Struct, frozen=True):
    """`refresh`: ask how it is first, whether or not there is something to do."""

    refresh: bool


_UNTOLD = frozenset((State.NEW, State.SESSION_OPEN, State.CAPTURING, State.VOIDING))
"""The order has these from the answers to its own wishes, and does nothing about them."""


def is_news(record: Record, was: Record | None) -> bool:
    """Whether the order has to hear of a change."""
    now, before = view(record), view(was) if was else None
    if now == before:
        return False
    sums = (now.authorised, now.captured, now.refunded, now.refund_pending)
    if before is None:
        return record.payment.state not in _UNTOLD or any(sums)
    moved = sums != (before.authorised, before.captured, before.refunded, before.refund_pending)
    return moved or record.payment.state not in _UNTOLD


def view(record: Record) -> PaymentView:
    payment, known = record.payment, record.payment.known
    return PaymentView(payment.state.value, known.authorised, known.captured, known.refunded, payment.pending)


async def tell_order(database: Database, record: Record) -> None:
    """The whole state, so that the latest message says all that the ones before did."""
    seen = view(record)
    await outbox.put(
        database,
        aggregate=f"payment:{record.order}:order",
        target=ORDER,
        method="PUT",
        path=f"/internal/orders/{record.order}/payment",
        body=Told(**msgspec.structs.asdict(seen), occurred_at=record.updated_at),
    )


async def ask_provider(
    database: Database, order: UUID, *, refresh: bool, traceparent: str | None = None
) -> None:
    await outbox.put(
        database,
        aggregate=f"payment:{order}:provider",
        target=PROVIDER,
        method="PUT",
        path=f"/payments/{order}",
        body=Wanted(refresh),
        traceparent=traceparent,
    )
