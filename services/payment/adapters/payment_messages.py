"""Messages of a payment: to the order, how it is; to the provider's target, that there is something to do."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from common import request_ids
from common.telemetry import tracing
from services.chassis import outbox
from services.chassis.postgres import Database
from services.payment.application.record import Record
from services.payment.domain.payments import State
from services.payment.domain.refunds import Cause

PROVIDER = "provider"
ORDER = "order"


class ToldRefund(msgspec.Struct, frozen=True):
    refund_id: UUID
    state: str


class PaymentView(msgspec.Struct, frozen=True):
    """All that the order sees of it; amounts are totals in minor units. `refunds`: those that it asked for."""

    state: str
    authorised: int
    captured: int
    refunded: int
    refund_pending: int
    refunds: tuple[ToldRefund, ...]


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
    if before is None:
        return record.payment.state not in _UNTOLD or any(_facts(now))
    return _facts(now) != _facts(before) or record.payment.state not in _UNTOLD


def _facts(view: PaymentView) -> tuple[Any, ...]:
    return view.authorised, view.captured, view.refunded, view.refund_pending, view.refunds


def view(record: Record) -> PaymentView:
    payment, known = record.payment, record.payment.known
    refunds = tuple(
        ToldRefund(each.id, each.state.value)
        for each in sorted(record.refunds, key=lambda each: each.id)
        if each.cause is Cause.REQUESTED
    )
    return PaymentView(
        payment.state.value,
        known.authorised,
        known.captured,
        known.refunded,
        payment.pending,
        refunds,
    )


class Message(NamedTuple):
    """The values of `single_statement.insertion`."""

    aggregate: str
    target: str
    method: str
    path: str
    body: bytes
    request_id: str
    traceparent: str


def to_order(record: Record) -> Message:
    """The whole state, so that the latest message says all that the ones before did."""
    seen = Told(**msgspec.structs.asdict(view(record)), occurred_at=record.updated_at)
    path = f"/internal/orders/{record.order}/payment"
    return _message(f"payment:{record.order}:order", ORDER, path, seen)


def to_provider(order: UUID) -> Message:
    """That there is something to do."""
    return _message(f"payment:{order}:provider", PROVIDER, f"/payments/{order}", Wanted(refresh=False))


def _message(aggregate: str, target: str, path: str, body: msgspec.Struct) -> Message:
    ids = request_ids.current.get()
    request_id = ids.request_id if ids else ""
    return Message(aggregate, target, "PUT", path, msgspec.json.encode(body), request_id, tracing.context())


async def refresh(database: Database, order: UUID, *, traceparent: str | None) -> None:
    """Has the provider asked how it is, in the trace at hand or in that of `traceparent`."""
    await outbox.put(
        database,
        aggregate=f"payment:{order}:provider",
        target=PROVIDER,
        method="PUT",
        path=f"/payments/{order}",
        body=Wanted(refresh=True),
        traceparent=traceparent,
    )
