"""What people and metrics ask of all payments together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.payment.application.reconciliation import Comparison
from services.payment.domain.payments import State


@dataclass(frozen=True, slots=True)
class Line:
    order: UUID
    reference: str
    state: State
    amount: int
    currency: str
    captured: int
    refunded: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Revenue:
    """What the ledger has of an interval, in minor units of `currency`. A refund that came back counts against
    `refunded`, so either may be below zero for a day."""

    currency: str
    captured: int
    refunded: int
    disputed: int

    @property
    def net(self) -> int:
        """What was collected less what was given back."""
        return self.captured - self.refunded


class Reports(Protocol):
    async def listed(
        self, state: State | None, limit: int, after: tuple[datetime, UUID] | None
    ) -> Sequence[Line]:
        """The latest first."""

    async def unfinished(self) -> Mapping[State, int]: ...

    async def oldest_unfinished(self) -> float:
        """Seconds since the payment was last changed that waits longest for the provider; 0 where none does."""

    async def ledger_sum(self) -> int:
        """Of all entries: zero, or the books are wrong."""

    async def latest_comparison(self) -> Comparison | None: ...

    async def revenue(self, since: datetime, before: datetime) -> Sequence[Revenue]:
        """Of what was booked in [since, before), by currency."""
