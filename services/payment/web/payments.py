"""`/api/payments`: for administrators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, QueryParameter

from services.chassis import pages
from services.chassis.idempotency import idempotent
from services.chassis.identity import CallerRequest
from services.chassis.injection import Injected
from services.chassis.intervals import interval
from services.chassis.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from services.chassis.problems import documented
from services.payment.application.reconciliation import Comparison
from services.payment.domain.payments import State
from services.payment.web.parts import Parts
from services.payment.web.schemas import PaymentView

ADMIN = "admin"
_NEWEST = "-created_at"

StateFilter = Annotated[
    State | None, QueryParameter(name="state", description="Only payments in this state.")
]


class PaymentLine(msgspec.Struct, frozen=True):
    """A payment in the list; amounts are totals."""

    order_id: UUID
    reference: str
    state: str
    amount: int
    currency: str
    captured: int
    refunded: int
    created_at: datetime
    updated_at: datetime


class DifferenceView(msgspec.Struct, frozen=True):
    """`kind`: `unknown` (the provider has money that belongs to no payment), `captured` or `refunded` (the sums
    differ), `total` (the sums agree, and are not what the order comes to, which is `expected`), `missing` (booked, and
    the provider does not have it)."""

    kind: str
    provider_payment: str
    order_id: UUID | None
    at_provider: int
    booked: int
    expected: int | None


class ComparisonView(msgspec.Struct, frozen=True):
    """The provider's list against the ledger. `seen`: so many of the provider's payments were compared."""

    since: datetime
    until: datetime
    at: datetime
    seen: int
    differences: list[DifferenceView]

    @classmethod
    def of(cls, comparison: Comparison) -> "ComparisonView":
        return cls(
            comparison.since,
            comparison.until,
            comparison.at,
            comparison.seen,
            [
                DifferenceView(
                    each.kind, each.intent, each.order, each.at_provider, each.booked, each.expected
                )
                for each in comparison.differences
            ],
        )


class ReconciliationView(msgspec.Struct, frozen=True):
    """The latest comparison, null before the first one."""

    latest: ComparisonView | None
    unfinished: dict[str, int]
    ledger_sum: int


class RevenueView(msgspec.Struct, frozen=True):
    """In minor units. `net` is `captured` less `refunded`; `disputed` is what banks took back after objections."""

    currency: str
    captured: int
    refunded: int
    disputed: int
    net: int


class RevenueList(msgspec.Struct, frozen=True):
    """One for each currency that was booked in; none where nothing was."""

    items: list[RevenueView]


class PaymentsController(Controller):
    path = "/api/payments"
    tags = ("payments",)
    security = ({"bearer": []},)

    @get(
        operation_id="listPayments",
        summary="Payments, the latest first",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 503),
    )
    async def list_payments(
        self,
        *,
        payment: Injected[Parts],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        in_state: StateFilter = None,
    ) -> Page[PaymentLine]:
        after = None if cursor is None else pages.decode(cursor, _NEWEST, datetime)
        found = await payment.reports.listed(in_state, limit + 1, after)
        shown = found[:limit]
        following = (
            pages.encode(_NEWEST, shown[-1].created_at, shown[-1].order) if len(found) > limit else None
        )
        return Page(
            [
                PaymentLine(
                    each.order,
                    each.reference,
                    each.state.value,
                    each.amount,
                    each.currency,
                    each.captured,
                    each.refunded,
                    each.created_at,
                    each.updated_at,
                )
                for each in shown
            ],
            following,
        )

    @get(
        "/reconciliation",
        operation_id="getReconciliation",
        summary="Whether the provider's list and the ledger agree",
        roles=(ADMIN,),
        responses=documented(401, 403, 503),
    )
    async def get_reconciliation(self, payment: Injected[Parts]) -> ReconciliationView:
        latest = await payment.reports.latest_comparison()
        return ReconciliationView(
            None if latest is None else ComparisonView.of(latest),
            {state.value: count for state, count in (await payment.reports.unfinished()).items()},
            await payment.reports.ledger_sum(),
        )

    @post(
        "/reconciliation",
        operation_id="reconcile",
        summary="Compare the provider's list with the ledger now",
        roles=(ADMIN,),
        status_code=202,
        responses=documented(401, 403, 409, 413, 422, 503),
    )
    @idempotent
    async def reconcile(self, *, request: CallerRequest, payment: Injected[Parts]) -> Response[None]:
        """It goes on beside the request; `latest.at` is later when it is done, and as it was where the provider gave no
        list."""
        payment.ask_to_compare()
        return Response(None, status_code=202)

    @get(
        "/revenue",
        operation_id="getRevenue",
        summary="What the ledger has of an interval",
        roles=(ADMIN,),
        responses=documented(400, 401, 403, 503),
    )
    async def get_revenue(
        self,
        *,
        payment: Injected[Parts],
        booked_from: Annotated[
            datetime, QueryParameter(name="booked_from", description="Booked at or after (RFC 3339).")
        ],
        booked_before: Annotated[
            datetime,
            QueryParameter(
                name="booked_before", description="Booked before, at most 32 days later (RFC 3339)."
            ),
        ],
    ) -> RevenueList:
        asked = interval(booked_from, booked_before, ("booked_from", "booked_before"))
        found = await payment.reports.revenue(asked.since, asked.before)
        return RevenueList(
            [
                RevenueView(each.currency, each.captured, each.refunded, each.disputed, each.net)
                for each in found
            ]
        )

    @get(
        "/{order_id:uuid}",
        operation_id="getPayment",
        summary="An order's payment with its refunds and ledger",
        roles=(ADMIN,),
        responses=documented(401, 403, 404, 503),
    )
    async def get_payment(self, order_id: FromPath[UUID], payment: Injected[Parts]) -> PaymentView:
        return PaymentView.whole(await payment.payments.get(order_id))

    @post(
        "/{order_id:uuid}/checks",
        operation_id="checkPayment",
        summary="Ask the provider how a payment is",
        roles=(ADMIN,),
        status_code=202,
        responses=documented(401, 403, 404, 409, 413, 422, 503),
    )
    @idempotent
    async def check_payment(
        self, *, request: CallerRequest, order_id: FromPath[UUID], payment: Injected[Parts]
    ) -> Response[None]:
        await payment.payments.refresh(order_id)
        return Response(None, status_code=202)
