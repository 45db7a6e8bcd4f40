"""What handlers work with; one dependency, since the framework starts a task for each of several."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import Counter

from services.payment.application.advancing import AdvancingService
from services.payment.application.events import EventService, Webhooks
from services.payment.application.payments import PaymentService
from services.payment.application.reconciliation import ReconciliationService
from services.payment.application.reporting import Reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    payments: PaymentService
    advancing: AdvancingService
    events: EventService
    webhooks: Webhooks
    reports: Reports
    reconciliation: ReconciliationService
    heard: Counter
    ask_to_compare: Callable[[], None]
