"""The domain's refusals and the statuses that they have over HTTP; the one table of it."""

from services.chassis import errors
from services.chassis.problems import Refusals
from services.payment.domain.errors import (
    OtherRefund,
    OtherTerms,
    OverRefund,
    UnknownPayment,
    UnsignedWebhook,
    WebhooksClosed,
)


def _over(error: OverRefund) -> errors.Problem:
    return errors.Conflict(str(error), refundable=error.refundable)


REFUSALS: Refusals = {
    UnknownPayment: errors.NotFound,
    OtherTerms: errors.Conflict,
    OtherRefund: errors.Conflict,
    OverRefund: _over,
    UnsignedWebhook: errors.BadRequest,
    WebhooksClosed: errors.Unavailable,
}
