"""The shopkeeper's day, with its sources played by objects: what is shown, and what is left out where one is away."""

from datetime import UTC, datetime, timedelta

import pytest

from services.bff.application.gathering import CallerRefused, SourceFailed
from services.bff.application.sources import OrderNumbers, Outbox, Reconciliation, Revenue, StockLevel
from services.bff.application.today import LATE, LISTED, SCARCE, ShopkeeperScreens, Today, late

SINCE, BEFORE = datetime(2026, 11, 21, 15, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC)
NONE = Outbox(0, None)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
NUMBERS = OrderNumbers({"paid": 2}, {"paid": 3}, SINCE, "KRW")
REVENUE = [Revenue("KRW", 9, 2, 7)]
AGREED = Reconciliation(SINCE, 0, 0)


class Played:
    """Every source; `fails` raises what a test wants instead of an answer."""

    def __init__(self, fails: Exception | None = None, outbox: Outbox = NONE) -> None:
        self._fails = fails
        self._outbox = outbox
        self.asked: list[object] = []

    def _note(self, *what: object) -> None:
        self.asked.append(what)
        if self._fails:
            raise self._fails

    async def numbers(self, token: str, since: datetime, before: datetime) -> OrderNumbers:
        self._note(token, since, before)
        return NUMBERS

    async def revenue(self, token: str, since: datetime, before: datetime) -> list[Revenue]:
        self._note(token, since, before)
        return REVENUE

    async def reconciliation(self, token: str) -> Reconciliation:
        self._note(token)
        return AGREED

    async def running_out(self, token: str, at_most: int, limit: int) -> list[StockLevel]:
        self._note(token, at_most, limit)
        return []

    async def stuck(self, token: str) -> Outbox:
        self._note(token)
        return self._outbox


async def shown(orders: Played, books: Played, stock: Played, **outboxes: Played) -> Today:
    screens = ShopkeeperScreens(orders, books, stock, dict(outboxes), lambda: NOW)
    return await screens.today("t", SINCE, BEFORE)


async def test_the_day_is_asked_for_with_the_shopkeepers_own_token() -> None:
    orders, books, stock = Played(), Played(), Played()
    today = await shown(orders, books, stock, order=Played(outbox=Outbox(50, SINCE)), auth=Played())
    assert (today.orders, today.revenue, today.reconciliation) == (NUMBERS, REVENUE, AGREED)
    assert [(each.service, each.dead, each.late_since) for each in today.stuck] == [
        ("order", 50, SINCE),
        ("auth", 0, None),
    ]
    assert today.degraded == []
    assert orders.asked == [("t", SINCE, BEFORE)] and stock.asked == [("t", SCARCE, LISTED)]


async def test_what_is_away_is_named_and_the_rest_is_shown() -> None:
    away = SourceFailed("away")
    today = await shown(Played(away), Played(away), Played(away), order=Played(away), auth=Played())
    assert today.degraded == ["orders", "reconciliation", "revenue", "running_out", "stuck_order"]
    assert (today.orders, today.revenue, today.running_out) == (None, None, None)
    assert [each.service for each in today.stuck] == ["auth"], "nothing stuck is not the same as not known"


async def test_a_session_that_has_ended_is_no_gap() -> None:
    with pytest.raises(CallerRefused):
        await shown(Played(), Played(CallerRefused("ended")), Played())


@pytest.mark.parametrize(
    ("waits_for", "is_late"),
    [
        (None, False),
        (timedelta(0), False),
        (LATE, False),
        (LATE + timedelta(seconds=1), True),
        (-LATE, False),
    ],
)
def test_a_message_that_waits_for_too_long_waits_for_somebody(
    waits_for: timedelta | None, is_late: bool
) -> None:
    since = None if waits_for is None else NOW - waits_for
    assert late(Outbox(0, since), NOW) == (since if is_late else None)
