"""A span of time that a caller names by its ends, `[from, before)`: half-open, so that days meet and never overlap."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.chassis.errors import FieldError, InvalidInput

LONGEST = timedelta(days=32)
"""So that no question reads a year."""


@dataclass(frozen=True, slots=True)
class Interval:
    """`since` belongs to it, `before` does not; both in UTC."""

    since: datetime
    before: datetime


def interval(since: datetime, before: datetime, names: tuple[str, str]) -> Interval:
    """`names`: of the two parameters. Raises InvalidInput for a time without offset or out of the calendar, for an end
    that is not after the beginning, and for more than `LONGEST`."""
    ends = [moment(name, value) for name, value in zip(names, (since, before), strict=True)]
    if not timedelta(0) < ends[1] - ends[0] <= LONGEST:
        raise InvalidInput([FieldError.of(names[1], "not_allowed")])
    return Interval(*ends)


def moment(field: str, value: datetime) -> datetime:
    """In UTC. Raises InvalidInput for a time without an offset: it would mean another moment in each place."""
    if value.tzinfo is None:
        raise InvalidInput([FieldError.of(field, "no_utc_offset")])
    try:
        return value.astimezone(UTC)
    except OverflowError as fault:
        raise InvalidInput([FieldError.of(field, "out_of_calendar")]) from fault
