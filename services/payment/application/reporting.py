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
