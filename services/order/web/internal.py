"""`/internal/*`: for the payment service, never routed by the gateway."""

from uuid import UUID

from litestar import put
from litestar.params import FromPath, JSONBody

from services.chassis.injection import Injected
from services.chassis.outbox import PROVIDE_SEQUENCE, MessageSequence
from services.chassis.problems import documented
from services.order.domain.orders import Payment
from services.order.web.parts import Parts
from services.order.web.schemas import PaymentReport


@put(
    "/internal/orders/{order_id:uuid}/payment",
    internal=True,
    status_code=204,
    operation_id="reportPayment",
    summary="What an order's payment is now",
    tags=["internal"],
    security=[{"internal": []}],
    dependencies={"sequence": PROVIDE_SEQUENCE},
    responses=documented(400, 401, 404, 413, 503),
)
async def report_payment(
    *,
    order_id: FromPath[UUID],
    data: JSONBody[PaymentReport],
    order: Injected[Parts],
    sequence: MessageSequence,
) -> None:
    """The whole present state; of two reports the one with the higher sequence counts, in any order of arrival."""
    payment = Payment(
        state=data.state,
        authorised=data.authorised,
        captured=data.captured,
        refunded=data.refunded,
        refund_pending=data.refund_pending,
    )
    refunds = [(refund.refund_id, refund.state) for refund in data.refunds]
    await order.reporting.report(order_id, payment, refunds, sequence)
