"""What the order asks of its payment. Every change is one transaction, on the payment as it is: under its lock, or only
where it is still as it was read. The provider is never called inside."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.payment.application.ports import LedgerEntry, Payments
from services.payment.application.record import Record, Terms
from services.payment.domain.calls import Call, page_call
from services.payment.domain.errors import OtherRefund, OtherTerms, OverRefund, UnknownPayment
from services.payment.domain.payments import Goal, Known, Payment, Session, State
from services.payment.domain.refunds import Refund


@dataclass(frozen=True, slots=True)
class Account:
    """A payment with its ledger, for people."""

    record: Record
    ledger: tuple[LedgerEntry, ...]


class PaymentService:
    def __init__(self, payments: Payments, provider: str, now: Callable[[], datetime]) -> None:
        self._payments = payments
        self._provider = provider
        self._now = now

    async def begin(self, order: UUID, terms: Terms, sequence: int | None) -> tuple[Record, Call] | None:
        """A new payment with the call for its page written down, which the caller makes at once. None, and nothing,
        where the order has a payment.

        If the caller dies before that, the shopper asks again, or the round of unfinished payments makes the call.
        """
        now = self._now()
        new = _wanted(self._new(order, terms, now), Goal.AUTHORISE, sequence, now)
        asked = new.with_known(Known(session=Session.ASKED))
        return await self._payments.add_with_call(asked, page_call(order, asked.attempt))

    async def want(
        self, order: UUID, terms: Terms, goal: Goal, sequence: int | None, *, opens: bool = False
    ) -> Record:
        """The payment, with the order's present wish. Repeats and any order of arrival are harmless.

        `opens`: the caller opens the page of a new payment itself, at once. If it dies before that, the shopper asks
        again, or the round of unfinished payments does it.
        Of an order that is first heard of by its void, the payment is over from the start. Raises OtherTerms.
        """
        now = self._now()
        while True:  # whoever was faster: what they made of it is what the wish is of
            record = await self._payments.get(order)
            if record is None:
                async with self._payments.transaction():
                    new = self._new(order, terms, now)
                    if await self._payments.add(new):
                        wanted = _wanted(new, goal, sequence, now)
                        await self._payments.save(wanted, new, ask=_is_to_be_called(wanted, opens))
                        return wanted
                continue
            if (record.terms.amount, record.terms.currency) != (terms.amount, terms.currency):
                raise OtherTerms
            wanted = _wanted(record, goal, sequence, now)
            saved = await self._payments.replace(wanted, record, ask=_is_to_be_called(wanted, opens))
            if saved is not None:
                return saved

    async def refund(self, order: UUID, refund: Refund) -> Record:
        """Admits it under the payment's lock, so that two at once cannot have more than was collected.

        A repeat changes nothing. Raises UnknownPayment, OverRefund, OtherRefund.
        """
        async with self._payments.transaction():
            record = await self._payments.locked(order)
            if record is None:
                raise UnknownPayment
            present = record.refund(refund.id)
            if present is not None:
                if present.amount != refund.amount:
                    raise OtherRefund
                return record
            if refund.amount > record.payment.refundable:
                raise OverRefund(record.payment.refundable)
            admitted = replace(record.with_refund(refund), updated_at=self._now())
            await self._payments.save(admitted, record, ask=True)
        return admitted

    async def get(self, order: UUID) -> Account:
        """Raises UnknownPayment."""
        record = await self._payments.get(order)
        if record is None:
            raise UnknownPayment
        return Account(record, tuple(await self._payments.ledger(order)))

    async def give_up(self, order: UUID) -> Record:
        """No money in the end, of an order that nobody knows any more. Raises UnknownPayment."""
        return await self.want(order, (await self.get(order)).record.terms, Goal.VOID, None)

    async def tell_again(self, order: UUID) -> None:
        """Tells the order how its payment is, whether or not that is news. Raises UnknownPayment."""
        async with self._payments.transaction():
            record = await self._payments.locked(order)
            if record is None:
                raise UnknownPayment
            await self._payments.save(record, None)

    async def refresh(self, order: UUID) -> None:
        """Has the provider asked how it is. Raises UnknownPayment."""
        async with self._payments.transaction():
            if await self._payments.get(order) is None:
                raise UnknownPayment
            await self._payments.ask_provider(order)

    def _new(self, order: UUID, terms: Terms, now: datetime) -> Record:
        return Record(
            order=order,
            terms=terms,
            provider=self._provider,
            payment=Payment(amount=terms.amount),
            created_at=now,
            updated_at=now,
        )


def _wanted(record: Record, goal: Goal, sequence: int | None, now: datetime) -> Record:
    """With the wish of message `sequence`; of an earlier message it opens no page again."""
    later = sequence is None or sequence > record.sequence
    wanted = replace(
        record,
        payment=record.payment.wanted(goal),
        sequence=max(record.sequence, sequence or 0),
        updated_at=now,
    )
    if goal is Goal.AUTHORISE and later and wanted.payment.state is State.FAILED:
        return _again(wanted)
    return wanted


def _is_to_be_called(wanted: Record, opens: bool) -> bool:
    """Whether the provider is to be called in the background."""
    return wanted.payment.step is not None and not (opens and wanted.payment.state is State.NEW)


def _again(record: Record) -> Record:
    """With a new attempt. The one before is over for good: its page is closed, or its money was given up."""
    return replace(
        record,
        attempt=record.attempt + 1,
        session_id=None,
        session_url=None,
        intent=None,
    ).with_known(Known())
