"""The day of a shop begins at its own midnight."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from frontend_proxy.pages.today.day import bounds


@pytest.mark.parametrize(
    ("zone", "now", "begins", "hours"),
    [
        ("Asia/Seoul", "2026-11-27T14:59:59+00:00", "2026-11-26T15:00:00+00:00", 24),
        ("Asia/Seoul", "2026-11-27T15:00:00+00:00", "2026-11-27T15:00:00+00:00", 24),
        ("Europe/Berlin", "2026-03-29T12:00:00+00:00", "2026-03-28T23:00:00+00:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00:00+00:00", "2026-10-24T22:00:00+00:00", 25),
    ],
)
def test_a_day_is_from_midnight_to_midnight_where_the_shop_is(
    zone: str, now: str, begins: str, hours: int
) -> None:
    since, before = bounds(datetime.fromisoformat(now), ZoneInfo(zone))
    assert since.astimezone(UTC) == datetime.fromisoformat(begins)
    assert before.astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=hours)
