"""What the provider has against what is booked: each kind of difference, by name."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest

from services.payment.application.ports import BookedPayment, SeenPayment
from services.payment.application.reconciliation import (
    Comparison,
    Difference,
    Reconciliation,
    differences,
)
from services.payment.web.admin import ComparisonView

ORDER = UUID(int=1)


def seen(captured: int, refunded: int = 0) -> SeenPayment:
    return SeenPayment("pi_1", ORDER, captured, captured, refunded, cancelled=False, currency="KRW")


def booked(captured: int, refunded: int = 0, *, amount: int = 1000, pending: int = 0) -> BookedPayment:
    return BookedPayment("pi_1", ORDER, captured, refunded, amount, pending)


@pytest.mark.parametrize(
    ("at_provider", "in_ledger", "found"),
    [
        (seen(1000, 300), booked(1000, 300), []),
        (seen(0), None, []),
        (seen(1000), None, [Difference("unknown", "pi_1", ORDER, 1000, 0)]),
        (seen(0), booked(1000), [Difference("captured", "pi_1", ORDER, 0, 1000)]),
        (
            seen(1000, 400),
            booked(1000, 300),
            [Difference("refunded", "pi_1", ORDER, 400, 300)],
        ),
        # Refunds that are under way: the provider counts them at once, the ledger when they are done.
        (seen(1000, 400), booked(1000, 300, pending=100), []),
        (seen(1000, 300), booked(1000, 300, pending=100), []),
        (
            seen(1000, 401),
            booked(1000, 300, pending=100),
            [Difference("refunded", "pi_1", ORDER, 401, 300)],
        ),
        (
            seen(1000, 299),
            booked(1000, 300, pending=100),
            [Difference("refunded", "pi_1", ORDER, 299, 300)],
        ),
        # A person collected a part of the promise at the provider.
        (seen(600), booked(600), [Difference("total", "pi_1", ORDER, 600, 600, 1000)]),
        (seen(600, 100), booked(600, 100), [Difference("total", "pi_1", ORDER, 600, 600, 1000)]),
        (seen(600, 600), booked(600, 600), []),
    ],
)
def test_differences(
    at_provider: SeenPayment, in_ledger: BookedPayment | None, found: list[Difference]
) -> None:
    assert differences(at_provider, in_ledger) == found


SINCE, UNTIL = (datetime(2026, 11, day, tzinfo=UTC) for day in (24, 27))
SECOND = timedelta(seconds=1)


class Books:
    """One payment of an order, as both sides have it, each by its own clock."""

    def __init__(self, *, ordered: datetime, booked_at: datetime, begun_at_provider: datetime) -> None:
        self._ordered, self._booked_at, self._begun = ordered, booked_at, begun_at_provider

    async def payments(self, since: datetime, until: datetime) -> AsyncIterator[SeenPayment]:
        if since <= self._begun < until:
            yield seen(1000)

    async def booked(self, intents: Sequence[str]) -> Mapping[str, BookedPayment]:
        return {intent: booked(1000) for intent in intents}

    async def booked_between(self, since: datetime, until: datetime) -> Mapping[str, BookedPayment]:
        return {"pi_1": booked(1000)} if self._ordered >= since and self._booked_at < until else {}

    async def keep(self, comparison: Comparison) -> None: ...


@pytest.mark.parametrize(
    "books",
    [
        Books(ordered=SINCE, booked_at=SINCE + SECOND, begun_at_provider=SINCE - SECOND),
        Books(ordered=SINCE, booked_at=UNTIL - SECOND, begun_at_provider=UNTIL),
    ],
    ids=["the provider's clock is late", "our clock is late"],
)
async def test_clocks_that_differ_are_no_difference(books: Books) -> None:
    reconciliation = Reconciliation(cast(Any, books), cast(Any, books), books)
    assert (await reconciliation.compare(SINCE, UNTIL, UNTIL)).differences == ()


async def test_what_the_provider_does_not_have_is_missing() -> None:
    books = Books(ordered=SINCE, booked_at=SINCE, begun_at_provider=UNTIL + timedelta(days=1))
    reconciliation = Reconciliation(cast(Any, books), cast(Any, books), books)
    found = (await reconciliation.compare(SINCE, UNTIL, UNTIL)).differences
    assert found == (Difference("missing", "pi_1", ORDER, 0, 1000),)


def test_people_are_shown_what_the_order_comes_to() -> None:
    part = Difference("total", "pi_1", ORDER, 600, 600, 1000)
    kept = msgspec.json.decode(msgspec.json.encode([part]), type=tuple[Difference, ...])
    (shown,) = ComparisonView.of(Comparison(SINCE, UNTIL, UNTIL, 1, kept)).differences
    assert (shown.kind, shown.at_provider, shown.booked, shown.expected) == ("total", 600, 600, 1000)
    former = {"kind": "captured", "intent": "pi_1", "order": None, "at_provider": 1, "booked": 0}
    assert msgspec.convert(former, Difference).expected is None, "as the release before has kept it"
