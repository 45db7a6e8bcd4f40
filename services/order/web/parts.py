"""What handlers work with; one dependency, since the framework starts a task for each of several."""

from dataclasses import dataclass

from services.chassis.authentication import TokenAuthenticator
from services.chassis.idempotency import Idempotency
from services.order.application.carting import CartService
from services.order.application.claiming import ClaimService
from services.order.application.placing import PlacementService
from services.order.application.ports import Accounts, Orders, Refunds
from services.order.application.progress import ProgressService
from services.order.application.refunding import RefundService
from services.order.application.reporting import ReportService
from services.order.application.requests import RequestService


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    accounts: Accounts
    carting: CartService
    claiming: ClaimService
    guests: TokenAuthenticator
    idempotency: Idempotency
    orders: Orders
    placing: PlacementService
    progress: ProgressService
    refunding: RefundService
    refunds: Refunds
    reporting: ReportService
    requests: RequestService
