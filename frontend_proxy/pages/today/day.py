"""A day where the shop is: from midnight to midnight, which is not always 24 hours. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def bounds(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The beginning of the day that `now` is in, and of the next one."""
    today = now.astimezone(zone).date()
    begins, ends = (datetime.combine(date, time(), zone) for date in (today, today + timedelta(days=1)))
    return begins, ends
