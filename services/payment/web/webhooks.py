"""`POST /api/payments/webhooks/PROVIDER`: what a provider has to say, public and believed by its signature alone."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from services.chassis.errors import NotFound
from services.chassis.injection import Injected
from services.chassis.problems import documented
from services.payment.domain.errors import UnsignedWebhook, WebhooksClosed
from services.payment.web.parts import Parts

MOST_BYTES = 256 * 1024


@post(
    "/api/payments/webhooks/{provider:str}",
    public=True,
    operation_id="hearProvider",
    summary="For the payment provider: something is to be looked at",
    tags=["webhooks"],
    status_code=200,
    request_max_body_size=MOST_BYTES,
    responses=documented(400, 404, 413, 503),
)
async def hear(
    provider: FromPath[str], request: Request[Any, Any, Any], payment: Injected[Parts]
) -> Response[None]:
    """Signed over the raw bytes. 200 once it is written down, also for a repeat; then the provider itself is asked."""
    if provider != payment.webhooks.provider:
        raise NotFound("There is no such provider.")
    sent = request.headers.getall("Stripe-Signature", [])
    try:
        event = payment.webhooks.event(await request.body(), sent[0] if len(sent) == 1 else None)
    except (UnsignedWebhook, WebhooksClosed):
        payment.heard.labels("refused").inc()
        raise
    new = await payment.events.hear(provider, event)
    payment.heard.labels("new" if new else "repeated").inc()
    return Response(None, status_code=200)
