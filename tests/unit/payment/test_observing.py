"""What is known of a payment, and what is booked of it, in whichever order the provider's answers are merged.

Two looks at once may be merged in the other order than they were made (hazard 17).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from uuid import UUID

import pytest

from services.payment.application.observing import observed
from services.payment.application.ports import Booking, SeenPayment, SeenRefund, SeenSession
from services.payment.application.record import Dispute, Record, Terms
from services.payment.domain.ledger import Movement, entries
from services.payment.domain.payments import Goal, Payment, Session
from services.payment.domain.refunds import Refund, RefundState

ORDER, OURS = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 11, 27, tzinfo=UTC)
TERMS = Terms(1000, "KRW", "1", None, "ko", "https://shop.test/1", "https://shop.test/2")


def begun(*refunds: Refund) -> Record:
    payment = Payment(amount=1000, goal=Goal.CAPTURE)
    return Record(
        order=ORDER,
        terms=TERMS,
        provider="p",
        payment=payment,
        refunds=refunds,
        created_at=NOW,
        updated_at=NOW,
    ).summed()


def seen(*refunds: SeenRefund, disputes: Sequence[Dispute] = ()) -> SeenSession:
    charge = SeenPayment("pi", ORDER, 1000, 1000, 0, False, "KRW", refunds, tuple(disputes))
    return SeenSession("cs", Session.COMPLETE, None, charge)


def merged(record: Record, looks: Sequence[SeenSession]) -> tuple[Record, Counter[str]]:
    """The record after them, and the sums of the ledger's accounts: each movement is booked once."""
    booked: dict[tuple[Movement, str], Booking] = {}
    for look in looks:
        record, bookings = observed(record, look)
        for booking in bookings:
            booked.setdefault((booking.movement, booking.provider_id), booking)
    sums: Counter[str] = Counter()
    for booking in booked.values():
        for entry in entries(booking.movement, booking.amount):
            sums[entry.account.value] += entry.amount
    return record, sums


@pytest.mark.parametrize("ours", [OURS, None], ids=["our refund", "one made at the provider"])
def test_a_refund_that_came_back_leaves_the_books_as_they_were_in_any_order(ours: UUID | None) -> None:
    known = (Refund(id=OURS, amount=300, reason=""),) if ours else ()
    looks = [
        seen(SeenRefund("re", ours, 300, state))
        for state in (RefundState.PENDING, RefundState.DONE, RefundState.FAILED)
    ]
    for some in ([*looks], looks[:1] + looks[2:], looks[1:], looks[2:]):
        for order in permutations(some):
            record, sums = merged(begun(*known), order)
            assert [each.state for each in record.refunds] == [RefundState.FAILED]
            assert (sums["provider"], sums["sales"], sums["refunds"]) == (1000, -1000, 0)
            assert (record.payment.refundable, record.payment.known.refunded) == (1000, 0)


@pytest.mark.parametrize("end", ["won", "lost", "prevented"])
def test_a_dispute_that_is_decided_stays_so_whatever_was_seen_before(end: str) -> None:
    looks = [
        seen(disputes=[Dispute("dp", 1000, status, status == "won")])
        for status in ("needs_response", "under_review", end)
    ]
    for order in permutations([seen(), *looks]):
        record, sums = merged(begun(), order)
        assert record.disputes == (Dispute("dp", 1000, end, end == "won"),)
        assert sums["disputes"] == (0 if end == "won" else 1000)


def test_a_second_dispute_hides_no_first() -> None:
    first, second = Dispute("dp_1", 400, "lost", False), Dispute("dp_2", 600, "needs_response", False)
    for order in permutations([seen(disputes=[first]), seen(disputes=[first, second])]):
        assert set(merged(begun(), order)[0].disputes) == {first, second}
