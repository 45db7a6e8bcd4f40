"""A refund: money that goes back, once. Pure."""

from dataclasses import dataclass, replace
from enum import Enum
from uuid import UUID, uuid5


class RefundState(Enum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Cause(Enum):
    REQUESTED = "requested"
    VOID = "void"
    """The order is not to be, and its money was collected."""
    PROVIDER = "provider"
    """Made by a person at the provider."""


MOST_VOID_REFUNDS = 3
"""So many times may a void's refund fail before a person has to look."""

_VOID_REFUNDS = 50


def void_refunds(order: UUID) -> list[UUID]:
    """The ids of a void's refunds of an order, the first one first: there is one more for each of the order's own
    refunds that a bank sends back."""
    return [uuid5(order, f"rest:{number}") for number in range(_VOID_REFUNDS)]


_LATER = {RefundState.PENDING: 0, RefundState.DONE: 1, RefundState.FAILED: 2}
"""A bank may send a done refund back, weeks later; a failed one never becomes anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`amount` in minor units; `provider_id` once the provider has said that it knows it."""

    id: UUID
    amount: int
    reason: str
    cause: Cause = Cause.REQUESTED
    state: RefundState = RefundState.PENDING
    provider_id: str | None = None

    def observed(self, state: RefundState, provider_id: str | None) -> "Refund":
        """With what the provider says of it; older news change nothing."""
        later = max(self.state, state, key=_LATER.__getitem__)
        return replace(self, state=later, provider_id=self.provider_id or provider_id)
