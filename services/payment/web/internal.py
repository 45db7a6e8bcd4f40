"""`/internal/payments`: for the order service, never routed by the gateway."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from litestar import get, post, put
from litestar.params import FromPath, JSONBody

from services.chassis.errors import Unavailable
from services.chassis.injection import Injected
from services.chassis.outbox import PROVIDE_SEQUENCE, MessageSequence
from services.chassis.problems import documented
from services.payment.application.advancing import Stuck
from services.payment.application.ports import ProviderError
from services.payment.application.record import Record
from services.payment.domain.payments import Goal, State
from services.payment.web.parts import Parts
from services.payment.web.schemas import (
    NewRefund,
    PaymentState,
    PaymentView,
    RefundAnswer,
    WantedPayment,
)

WAITS_S = 5.0

T = TypeVar("T")


@put(
    "/internal/payments/{order_id:uuid}",
    internal=True,
    dependencies={"sequence": PROVIDE_SEQUENCE},
    operation_id="wantPayment",
    summary="What an order wants of its payment",
    tags=["internal"],
    security=[{"internal": []}],
    status_code=200,
    responses=documented(400, 401, 404, 409, 413, 503),
)
async def want(
    order_id: FromPath[UUID],
    data: JSONBody[WantedPayment],
    payment: Injected[Parts],
    sequence: MessageSequence,
) -> PaymentState:
    """Repeating is harmless, in any order of arrival. 409 for another amount or currency than before."""
    terms, goal = data.terms(), data.wish()
    if (
        data.wait
        and goal is Goal.AUTHORISE
        and (begun := await payment.payments.begin(order_id, terms, sequence))
    ):
        return PaymentState.of(await _page(payment.advancing.open(*begun)))
    record = await payment.payments.want(order_id, terms, goal, sequence, opens=data.wait)
    if data.wait and record.payment.state is State.NEW:
        # Of two who ask at once both do it under the same key, and have the same page.
        made = await _page(payment.advancing.advance(order_id))
        record = made or record
    elif data.wait and record.payment.state is State.SESSION_OPEN:
        record = await _as_it_is(payment, record)
    return PaymentState.of(record)


async def _page(made: Awaitable[T]) -> T:
    """Raises Unavailable."""
    try:
        async with asyncio.timeout(WAITS_S):
            return await made
    except (ProviderError, Stuck, TimeoutError) as fault:
        raise Unavailable("The payment provider gives no page at this moment.") from fault


async def _as_it_is(payment: Parts, record: Record) -> Record:
    """A shopper who comes back may have paid on the page, and the webhook may be lost. Provider down: the page that is
    known."""
    try:
        async with asyncio.timeout(WAITS_S):
            return await payment.advancing.advance(record.order, refresh=True) or record
    except (ProviderError, Stuck, TimeoutError):
        return record


@post(
    "/internal/payments/{order_id:uuid}/refunds",
    internal=True,
    operation_id="refundPayment",
    summary="Give money back",
    tags=["internal"],
    security=[{"internal": []}],
    status_code=200,
    responses=documented(400, 401, 404, 409, 413, 503),
)
async def refund(
    order_id: FromPath[UUID], data: JSONBody[NewRefund], payment: Injected[Parts]
) -> RefundAnswer:
    """Admitted at once or refused with 409 for more than is left; the provider follows in the background."""
    record = await payment.payments.refund(order_id, data.refund())
    return RefundAnswer.of(record, data.refund_id)


@get(
    "/internal/payments/{order_id:uuid}",
    internal=True,
    operation_id="getInternalPayment",
    summary="An order's payment with its refunds and ledger",
    tags=["internal"],
    security=[{"internal": []}],
    responses=documented(401, 404, 503),
)
async def read(order_id: FromPath[UUID], payment: Injected[Parts]) -> PaymentView:
    return PaymentView.whole(await payment.payments.get(order_id))
