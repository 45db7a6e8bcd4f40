"""What handlers work with; one dependency, since the framework starts a task for each of several."""

from dataclasses import dataclass

from services.chassis.authentication import TokenAuthenticator
from services.chassis.idempotency import Idempotency
from services.order.application.carting import Carting
from services.order.application.claiming import Claiming
from services.order.application.placing import Placing
from services.order.application.ports import Accounts, Orders, Refunds
from services.order.application.progress import Progress
from services.order.application.refunding import Refunding
from services.order.application.reporting import Reporting
from services.order.application.requests import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    accounts: Accounts
    carting: Carting
    claiming: Claiming
    guests: TokenAuthenticator
    idempotency: Idempotency
    orders: Orders
    placing: Placing
    progress: Progress
    refunding: Refunding
    refunds: Refunds
    reporting: Reporting
    requests: Requests
