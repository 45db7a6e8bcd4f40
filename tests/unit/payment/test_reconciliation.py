"""What the provider has against what is booked: each kind of difference, by name."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest

from services.payment.adapters.stripe_provider import TIMEOUT_S
from services.payment.application.ports import BookedPayment, SeenPayment
from services.payment.application.reconciliation import (
    LOOKS_AGAIN_AFTER_S,
    Comparison,
    Difference,
    ReconciliationService,
    differences,
    lasting,
)
from services.payment.web.payments import ComparisonView

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


async def _at_once() -> None: ...


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
    reconciliation = ReconciliationService(cast(Any, books), cast(Any, books), books, _at_once)
    assert (await reconciliation.compare(SINCE, UNTIL, UNTIL)).differences == ()


async def test_what_the_provider_does_not_have_is_missing() -> None:
    books = Books(ordered=SINCE, booked_at=SINCE, begun_at_provider=UNTIL + timedelta(days=1))
    reconciliation = ReconciliationService(cast(Any, books), cast(Any, books), books, _at_once)
    found = (await reconciliation.compare(SINCE, UNTIL, UNTIL)).differences
    assert found == (Difference("missing", "pi_1", ORDER, 0, 1000),)


class Refunding:
    """One charge of 1000 of which 300 are given back; `at_ledger` is what was booked of it at each look."""

    def __init__(self, *at_ledger: int) -> None:
        self._looks = iter(at_ledger)
        self.kept: list[Comparison] = []

    async def payments(self, since: datetime, until: datetime) -> AsyncIterator[SeenPayment]:
        yield seen(1000, 300)

    async def booked(self, intents: Sequence[str]) -> Mapping[str, BookedPayment]:
        return {intent: booked(1000, next(self._looks)) for intent in intents}

    async def booked_between(self, since: datetime, until: datetime) -> Mapping[str, BookedPayment]:
        return {}

    async def keep(self, comparison: Comparison) -> None:
        self.kept.append(comparison)


@pytest.mark.parametrize(
    ("at_ledger", "found"),
    [
        ((300,), []),
        ((0, 300), []),
        ((0, 0), [Difference("refunded", "pi_1", ORDER, 300, 0)]),
        # Another part was booked meanwhile, and it is still not what the provider has.
        ((0, 100), [Difference("refunded", "pi_1", ORDER, 300, 100)]),
    ],
    ids=["agreed at once", "was being booked", "differs", "differs otherwise"],
)
async def test_a_difference_is_one_that_is_seen_twice(
    at_ledger: tuple[int, ...], found: list[Difference]
) -> None:
    books = Refunding(*at_ledger)
    waited: list[int] = []

    async def calls_to_end() -> None:
        assert not books.kept, "nobody is told before the second look"
        waited.append(1)

    reconciliation = ReconciliationService(cast(Any, books), cast(Any, books), books, calls_to_end)
    compared = await reconciliation.compare(SINCE, UNTIL, UNTIL)
    assert list(compared.differences) == found
    assert books.kept == [compared], "one comparison, of what is left"
    assert len(waited) == len(at_ledger) - 1, "where all agrees nobody waits"


async def test_what_begins_to_differ_at_the_second_look_waits_for_the_next_comparison() -> None:
    class Busy(Refunding):
        """Two charges; a refund of the first is being booked at the first look, of the other at the second."""

        async def payments(self, since: datetime, until: datetime) -> AsyncIterator[SeenPayment]:
            for intent in ("pi_1", "pi_2"):
                yield replace(seen(1000, 300), id=intent)

    books = Busy(0, 300, 300, 0)
    reconciliation = ReconciliationService(cast(Any, books), cast(Any, books), books, _at_once)
    assert (await reconciliation.compare(SINCE, UNTIL, UNTIL)).differences == ()


def test_the_second_look_waits_longer_than_the_longest_call() -> None:
    assert LOOKS_AGAIN_AFTER_S > TIMEOUT_S


def test_what_is_seen_only_once_is_no_difference() -> None:
    one, other = (Difference("refunded", intent, ORDER, 300, 0) for intent in ("pi_1", "pi_2"))
    collected = Difference("captured", "pi_1", ORDER, 1000, 0)
    assert lasting([one], [other]) == []
    assert lasting([one], [other, collected]) == [collected], "the charge was wrong at both looks"


def test_people_are_shown_what_the_order_comes_to() -> None:
    part = Difference("total", "pi_1", ORDER, 600, 600, 1000)
    kept = msgspec.json.decode(msgspec.json.encode([part]), type=tuple[Difference, ...])
    (shown,) = ComparisonView.of(Comparison(SINCE, UNTIL, UNTIL, 1, kept)).differences
    assert (shown.kind, shown.at_provider, shown.booked, shown.expected) == ("total", 600, 600, 1000)
    former = {"kind": "captured", "intent": "pi_1", "order": None, "at_provider": 1, "booked": 0}
    assert msgspec.convert(former, Difference).expected is None, "as the release before has kept it"
