"""Asks the provider about payments that are not finished, and compares its list with the ledger, now and then.

Webhooks are hints that may be lost: what they would have said is found out here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.chassis.rounds import rounds
from services.payment.adapters.payments_postgres import PostgresPayments
from services.payment.adapters.reports_postgres import PostgresReports
from services.payment.application.ports import ProviderError
from services.payment.application.reconciliation import ReconciliationService
from services.payment.domain.ledger import Movement
from services.payment.domain.payments import FINISHED, State

AT_ONCE = 100
MEASURE_EVERY_S = 5.0
SUM_EVERY_S = 300.0
"""Between two looks at the whole ledger."""
FIRST_CHECK = timedelta(seconds=20)
"""After which a payment that is not finished is asked about for the first time."""
LOOKS_BACK = timedelta(days=3)
LEFT_OUT = timedelta(minutes=10)
"""The latest payments are left out of a comparison: they may be changing."""

_log = logging.getLogger(__name__)


class Rounds:
    def __init__(
        self,
        payments: PostgresPayments,
        reports: PostgresReports,
        reconciliation: ReconciliationService,
        registry: CollectorRegistry,
        now: Callable[[], datetime],
        *,
        check_every: timedelta,
        compare_every: timedelta,
        first_check: timedelta = FIRST_CHECK,
    ) -> None:
        self._payments = payments
        self._reports = reports
        self._reconciliation = reconciliation
        self._now = now
        self._wanted = asyncio.Event()
        self._check_every = check_every
        self._first_check = first_check
        self._compare_every = compare_every
        self._unfinished = Gauge(
            "payments_unfinished", "Payments that are not finished.", ("state",), registry=registry
        )
        self._oldest = Gauge(
            "payments_oldest_seconds",
            "Age of the oldest payment that waits for the provider.",
            registry=registry,
        )
        self._refunds = Gauge(
            "payments_refunds_oldest_seconds",
            "Age of the oldest refund that the provider has not finished.",
            registry=registry,
        )
        self._disputes = Gauge(
            "payments_disputes_open",
            "Disputes that are not decided: someone has to answer at the provider.",
            registry=registry,
        )
        self._imbalance = Gauge(
            "payments_ledger_imbalance",
            "Sum of all ledger entries in minor units: zero.",
            registry=registry,
        )
        self._today = Gauge(
            "payments_today_minor_units",
            "Money that the ledger has of this day (UTC), in minor units of its currency.",
            ("movement", "currency"),
            registry=registry,
        )
        self._differences = Gauge(
            "payments_reconciliation_differences",
            "Differences between the provider's list and the ledger, in the latest comparison.",
            registry=registry,
        )
        self._compared = Gauge(
            "payments_reconciliation_timestamp_seconds",
            "Unix time of the latest comparison.",
            registry=registry,
        )
        self._comparisons = Counter(
            "payments_reconciliations_total",
            "Comparisons with the provider's list, by what came of them.",
            ("outcome",),
            registry=registry,
        )
        for outcome in ("agreed", "differed", "failed"):
            self._comparisons.labels(outcome)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            for name, act, every in (
                (
                    "unfinished payments",
                    self.check,
                    min(self._check_every / 4, self._first_check / 2).total_seconds(),
                ),
                ("payment metrics", self.measure, MEASURE_EVERY_S),
                ("ledger sum", self.sum, SUM_EVERY_S),
                ("comparison", self.compare, min(self._compare_every.total_seconds() / 4, 600.0)),
                ("comparison that was asked for", self.compare_when_asked, 0.0),
            ):
                await running.enter_async_context(rounds(name, act, every=every))
            yield

    async def check(self) -> None:
        """Has the provider asked about everything that waited too long."""
        now = self._now()
        while True:
            async with self._payments.transaction():
                orders = await self._reports.take_unfinished(
                    now, AT_ONCE, first=self._first_check, every=self._check_every
                )
                for order in orders:
                    await self._payments.ask_provider(order)
            if len(orders) < AT_ONCE:
                return

    def ask_to_compare(self) -> None:
        """Has this replica compare at once, beside the request: the provider's list may be long. Asked for again
        meanwhile, it compares once more afterwards, however often."""
        self._wanted.set()

    async def compare_when_asked(self) -> None:
        await self._wanted.wait()
        self._wanted.clear()
        await self._compare(self._now())

    async def compare(self) -> None:
        now = self._now()
        if await self._reports.comparison_due(now - self._compare_every):
            await self._compare(now)

    async def _compare(self, now: datetime) -> None:
        try:
            found = await self._reconciliation.compare(now - LOOKS_BACK, now - LEFT_OUT, now)
        except ProviderError as fault:
            self._comparisons.labels("failed").inc()
            _log.warning("the provider's list was not compared", extra={"cause": str(fault)})
            return
        except Exception:
            self._comparisons.labels("failed").inc()
            raise
        self._comparisons.labels("differed" if found.differences else "agreed").inc()
        if found.differences:
            _log.error(
                "the provider's list and the ledger differ", extra={"differences": len(found.differences)}
            )

    async def measure(self) -> None:
        numbers = await self._reports.unfinished()
        for state in set(State) - FINISHED:
            self._unfinished.labels(state.value).set(numbers.get(state, 0))
        self._oldest.set(await self._reports.oldest_unfinished())
        self._refunds.set(await self._reports.oldest_refund())
        self._disputes.set(await self._reports.open_disputes())
        midnight = self._now().replace(hour=0, minute=0, second=0, microsecond=0)
        moved = await self._reports.moved_since(midnight)
        self._today.clear()
        # Every kind of movement has a series, also at zero: an alert cannot tell a missing one from zero.
        for currency in {currency for _, currency in moved}:
            for movement in Movement:
                amount = moved.get((movement.value, currency), 0)
                self._today.labels(movement.value, currency).set(amount)
        latest = await self._reports.latest_comparison()
        if latest is not None:
            self._differences.set(len(latest.differences))
            self._compared.set(latest.at.timestamp())

    async def sum(self) -> None:
        self._imbalance.set(await self._reports.ledger_sum())
