"""What the payment API takes and gives, as its document shows it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from common.money import EXPONENTS, LARGEST
from services.chassis.errors import FieldError, InvalidInput
from services.payment.application.payments import Account
from services.payment.application.record import Record, Terms
from services.payment.domain.payments import Goal
from services.payment.domain.refunds import Refund

Amount = Annotated[int, Meta(ge=1, le=LARGEST, description="In minor units of the currency (ISO 4217).")]
Url = Annotated[str, Meta(pattern="^https?://", max_length=2000)]


class WantedPayment(msgspec.Struct, frozen=True):
    """What the order wants of its payment. `wait`: make the page before answering, within 5 s."""

    amount: Amount
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", examples=["KRW"])]
    goal: Literal["authorise", "capture", "void"]
    reference: Annotated[
        str, Meta(min_length=1, max_length=100, description="The order's number, for people.")
    ]
    return_url: Url
    cancel_url: Url
    email: Annotated[str, Meta(max_length=254)] | None = None
    lang: Literal["ko", "en"] = "ko"
    wait: bool = False

    def terms(self) -> Terms:
        """Raises InvalidInput."""
        if self.currency not in EXPONENTS:
            raise InvalidInput([FieldError.of("currency", "invalid")])
        return Terms(
            amount=self.amount,
            currency=self.currency,
            reference=self.reference,
            email=self.email,
            lang=self.lang,
            return_url=self.return_url,
            cancel_url=self.cancel_url,
        )

    def wish(self) -> Goal:
        return Goal[self.goal.upper()]


class PaymentState(msgspec.Struct, frozen=True):
    """`session_url` is where the shopper pays, while that is possible. Amounts are totals."""

    order_id: UUID
    state: str
    amount: int
    currency: str
    session_url: str | None
    authorised: int
    captured: int
    refunded: int
    refund_pending: int

    @classmethod
    def of(cls, record: Record) -> "PaymentState":
        payment, known = record.payment, record.payment.known
        return cls(
            order_id=record.order,
            state=payment.state.value,
            amount=payment.amount,
            currency=record.terms.currency,
            session_url=record.session_url,
            authorised=known.authorised,
            captured=known.captured,
            refunded=known.refunded,
            refund_pending=payment.pending,
        )


class NewRefund(msgspec.Struct, frozen=True):
    """`refund_id` is the caller's, and makes repeats one refund."""

    refund_id: UUID
    amount: Amount
    reason: Annotated[str, Meta(max_length=1000)] = ""

    def refund(self) -> Refund:
        return Refund(id=self.refund_id, amount=self.amount, reason=self.reason)


class RefundView(msgspec.Struct, frozen=True):
    refund_id: UUID
    amount: int
    state: str
    cause: str
    reason: str


class RefundAnswer(msgspec.Struct, frozen=True):
    """One refund, and the payment's totals with it."""

    refund_id: UUID
    state: str
    captured: int
    refunded: int
    pending: int

    @classmethod
    def of(cls, record: Record, id_: UUID) -> "RefundAnswer":
        refund = next(each for each in record.refunds if each.id == id_)
        payment = record.payment
        return cls(id_, refund.state.value, payment.known.captured, payment.known.refunded, payment.pending)


class DisputeView(msgspec.Struct, frozen=True):
    id: str
    amount: int
    status: str


class LedgerEntryView(msgspec.Struct, frozen=True):
    """Debits above zero, credits below."""

    movement: str
    provider_id: str
    account: str
    amount: int
    at: datetime


class PaymentView(PaymentState, frozen=True):
    """A payment with all that happened to it."""

    goal: str
    reference: str
    provider: str
    attempt: int
    provider_payment: str | None
    refunds: list[RefundView]
    disputes: list[DisputeView]
    ledger: list[LedgerEntryView]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def whole(cls, account: Account) -> "PaymentView":
        record = account.record
        return cls(
            **msgspec.structs.asdict(PaymentState.of(record)),
            goal=record.payment.goal.name.lower(),
            reference=record.terms.reference,
            provider=record.provider,
            attempt=record.attempt,
            provider_payment=record.intent,
            refunds=[
                RefundView(each.id, each.amount, each.state.value, each.cause.value, each.reason)
                for each in record.refunds
            ],
            disputes=[DisputeView(each.id, each.amount, each.status) for each in record.disputes],
            ledger=[
                LedgerEntryView(
                    entry.movement.value, entry.provider_id, entry.account, entry.amount, entry.at
                )
                for entry in account.ledger
            ],
            created_at=record.created_at,
            updated_at=record.updated_at,
        )
