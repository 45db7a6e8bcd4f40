"""A payment with all that is stored of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.payment.domain.payments import Known, Payment
from services.payment.domain.refunds import Refund, RefundState


@dataclass(frozen=True, slots=True)
class Dispute:
    """`id` and `status` are the provider's; `won`: the money has come back from the bank."""

    id: str
    amount: int
    status: str
    won: bool

    @property
    def lost(self) -> bool:
        return self.status == "lost"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for. The amount and its currency never change; the rest is the first page's."""

    amount: int
    currency: str
    reference: str
    email: str | None
    lang: str
    return_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`payment.known.refunded` and `payment.pending` are sums of `refunds`, `payment.disputed` and `payment.lost` of
    `disputes`.

    `attempt` counts pages, from 1; `intent` is the provider's id of the present attempt's charge. `sequence` is of the
    latest message of the order's that was heard. `version` is the store's own: another one with every change.
    """

    order: UUID
    terms: Terms
    provider: str
    payment: Payment
    attempt: int = 1
    session_id: str | None = None
    session_url: str | None = None
    intent: str | None = None
    sequence: int = 0
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    created_at: datetime
    updated_at: datetime
    version: int = field(default=0, compare=False)

    def with_known(self, known: Known) -> "Record":
        return replace(self, payment=replace(self.payment, known=known)).summed()

    def summed(self) -> "Record":
        """With the payment's sums of its refunds and disputes."""

        def total(state: RefundState) -> int:
            return sum(refund.amount for refund in self.refunds if refund.state is state)

        known = replace(self.payment.known, refunded=total(RefundState.DONE))
        payment = replace(
            self.payment,
            known=known,
            pending=total(RefundState.PENDING),
            disputed=sum(dispute.amount for dispute in self.disputes if not dispute.won),
            lost=sum(dispute.amount for dispute in self.disputes if dispute.lost),
        )
        return replace(self, payment=payment)

    def with_refund(self, refund: Refund) -> "Record":
        """With this one in its place, or added."""
        others = [refund if each.id == refund.id else each for each in self.refunds]
        if refund not in others:
            others.append(refund)
        return replace(self, refunds=tuple(others)).summed()

    def refund(self, id_: UUID) -> Refund | None:
        return next((refund for refund in self.refunds if refund.id == id_), None)
