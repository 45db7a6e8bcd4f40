"""What the provider says, merged into what is known. Pure: in whichever order it comes, and however often."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid5

from services.payment.application.ports import Booking, SeenPayment, SeenRefund, SeenSession
from services.payment.application.record import Dispute, Record
from services.payment.domain.ledger import Movement
from services.payment.domain.payments import Known, Session
from services.payment.domain.refunds import Cause, Refund, RefundState, void_refunds

_ELSEWHERE = UUID("5b0f5e0a-6f0e-4f64-9a53-9ad5f3c0f2b7")
"""Names refunds that were not made here by their provider's id."""

_STAGES = {"needs_response": 0, "under_review": 1}
"""Of a dispute that is not decided; all other statuses are ends."""


def observed(record: Record, seen: SeenSession) -> tuple[Record, Sequence[Booking]]:
    """The record with `seen`, and every movement of money in it, whether or not it is booked already.

    A page of an earlier attempt says nothing about the present one.
    """
    if record.session_id not in {None, seen.id}:
        return record, ()
    payment = seen.payment
    known = Known(session=seen.session)
    if payment is not None:
        known = replace(
            known,
            authorised=payment.authorised,
            captured=payment.captured,
            cancelled=payment.cancelled,
        )
    merged = record.payment.known.merged(known)
    record = replace(
        record,
        session_id=seen.id,
        session_url=seen.url if merged.session is Session.OPEN else None,
        intent=record.intent or (payment.id if payment else None),
    ).with_known(merged)
    if payment is None:
        return record, ()
    movements = bookings(payment)
    for found in payment.refunds:
        before = _refund_of(record, found)
        after = before.observed(found.state, found.id)
        if RefundState.DONE in {before.state, found.state}:
            movements.append(Booking(Movement.REFUND, found.id, found.amount))
            if after.state is RefundState.FAILED:
                movements.append(Booking(Movement.REFUND_FAILED, found.id, found.amount))
        record = record.with_refund(after)
    return replace(record, disputes=_disputes(record.disputes, payment.disputes)).summed(), movements


def charge_seen(record: Record, charge: SeenPayment) -> SeenSession:
    """What an answer about the payment's charge alone says; of the page it says nothing new."""
    assert record.session_id is not None  # noqa: S101  # a charge is made on a page
    return SeenSession(record.session_id, record.payment.known.session, record.session_url, charge)


def bookings(payment: SeenPayment) -> list[Booking]:
    """What the ledger must have of this charge, beside its refunds."""
    found = []
    if payment.captured:
        found.append(Booking(Movement.CAPTURE, payment.id, payment.captured))
    found += [Booking(Movement.DISPUTE, dispute.id, dispute.amount) for dispute in payment.disputes]
    found += [
        Booking(Movement.DISPUTE_WON, dispute.id, dispute.amount)
        for dispute in payment.disputes
        if dispute.won
    ]
    return found


def _disputes(known: Sequence[Dispute], found: Sequence[Dispute]) -> tuple[Dispute, ...]:
    """Each as it has come furthest: of two looks at once the one that saw less may be merged last."""
    disputes = {dispute.id: dispute for dispute in known}
    for dispute in found:
        before = disputes.get(dispute.id)
        if before is None or _stage(dispute) >= _stage(before):
            disputes[dispute.id] = dispute
    return tuple(disputes.values())


def _stage(dispute: Dispute) -> int:
    return _STAGES.get(dispute.status, len(_STAGES))


def _refund_of(record: Record, seen: SeenRefund) -> Refund:
    """Ours, or one that was made at the provider: there, two cannot be one of ours.

    One of ours that is not known here was lost by a restore to an earlier moment.
    """
    ours = record.refund(seen.ours) if seen.ours else None
    elsewhere = ours is not None and ours.provider_id not in {None, seen.id}
    if seen.ours is not None and not elsewhere:
        if ours is not None:
            return ours
        cause = Cause.VOID if seen.ours in void_refunds(record.order) else Cause.REQUESTED
        return Refund(id=seen.ours, amount=seen.amount, reason=seen.reason, cause=cause)
    id_ = uuid5(_ELSEWHERE, seen.id)
    return record.refund(id_) or Refund(id=id_, amount=seen.amount, reason=seen.reason, cause=Cause.PROVIDER)
