"""The provider's list against the ledger: every charge belongs to a payment, every booking to a charge.

The two are read one after the other, so that a refund which is booked in between looks like a difference. What differs
is therefore looked at twice, and is a difference where it still is one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.payment.application.ports import BookedPayment, Payments, Provider, SeenPayment
from services.payment.domain.calls import CLOCKS_DIFFER_BY

AT_ONCE = 100
LOOKS_AGAIN_AFTER_S = 10.0
"""Longer than the longest call of the provider, of which one side may know already and the other not yet."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`kind`: unknown, captured, refunded, total or missing. Amounts in minor units.

    `total`: both have the same, and it is not what the order comes to, which is `expected`.
    """

    kind: str
    intent: str
    order: UUID | None
    at_provider: int
    booked: int
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    since: datetime
    until: datetime
    at: datetime
    seen: int
    differences: tuple[Difference, ...]


class Comparisons(Protocol):
    async def booked_between(self, since: datetime, until: datetime) -> Mapping[str, BookedPayment]:
        """What was collected before `until` of payments that were made since `since`.

        A provider's charge begins when the shopper pays, which may be long after the payment was made: by when it was
        collected it has begun.
        """

    async def keep(self, comparison: Comparison) -> None: ...


async def _calls_to_end() -> None:
    await asyncio.sleep(LOOKS_AGAIN_AFTER_S)


class ReconciliationService:
    """`calls_to_end` waits until whatever was under way at the first look is done, on both sides."""

    def __init__(
        self,
        provider: Provider,
        payments: Payments,
        comparisons: Comparisons,
        calls_to_end: Callable[[], Awaitable[None]] = _calls_to_end,
    ) -> None:
        self._provider = provider
        self._payments = payments
        self._comparisons = comparisons
        self._calls_to_end = calls_to_end

    async def compare(self, since: datetime, until: datetime, now: datetime) -> Comparison:
        """Everything that the provider began in [since, until), and everything booked until then of orders since then.

        Raises ProviderError; keeps what it found, and nothing where there was no second look at what it found first.
        """
        seen, found = await self._look(since, until)
        if found:
            await self._calls_to_end()
            seen, again = await self._look(since, until)
            found = lasting(found, again)
        comparison = Comparison(since, until, now, seen, tuple(found))
        await self._comparisons.keep(comparison)
        return comparison

    async def _look(self, since: datetime, until: datetime) -> tuple[int, list[Difference]]:
        """How many of the provider's payments were seen, and what differs now.

        By the provider's clock something at an edge may lie beyond it: the ledger is compared with a little more of the
        provider's list than its own part of the interval.
        """
        seen: set[str] = set()
        differences: list[Difference] = []
        batch: list[SeenPayment] = []
        async for payment in self._provider.payments(since - CLOCKS_DIFFER_BY, until):
            seen.add(payment.id)
            batch.append(payment)
            if len(batch) == AT_ONCE:
                differences += await self._against_ledger(batch)
                batch = []
        differences += await self._against_ledger(batch)
        begun = await self._comparisons.booked_between(since, until - CLOCKS_DIFFER_BY)
        for intent, booked in begun.items():
            if intent not in seen:
                differences.append(Difference("missing", intent, booked.order, 0, booked.captured))
        return len(seen), differences

    async def _against_ledger(self, batch: Sequence[SeenPayment]) -> list[Difference]:
        booked = await self._payments.booked([payment.id for payment in batch])
        return [
            difference for payment in batch for difference in differences(payment, booked.get(payment.id))
        ]


def differences(seen: SeenPayment, booked: BookedPayment | None) -> list[Difference]:
    """Pure: what the provider says of one charge against what is booked of it."""
    if booked is None:
        if not seen.captured:
            return []
        return [Difference("unknown", seen.id, seen.order, seen.captured, 0)]
    found = []
    if seen.captured != booked.captured:
        found.append(Difference("captured", seen.id, booked.order, seen.captured, booked.captured))
    elif booked.captured != booked.amount and booked.captured > booked.refunded:
        # Somebody collected a part at the provider; once it was given back there is nothing to do.
        found.append(
            Difference("total", seen.id, booked.order, seen.captured, booked.captured, booked.amount)
        )
    if not booked.refunded <= seen.refunded <= booked.refunded + booked.pending:
        found.append(Difference("refunded", seen.id, booked.order, seen.refunded, booked.refunded))
    return found


def lasting(first: Sequence[Difference], again: Sequence[Difference]) -> list[Difference]:
    """Pure: those of the second look whose charge differed in the first look already, in whatever way: sums may have
    moved on, and stay wrong."""
    differed = {each.intent for each in first}
    return [each for each in again if each.intent in differed]
