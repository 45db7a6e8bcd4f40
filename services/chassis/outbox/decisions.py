"""What becomes of an order after an attempt to deliver it. Pure."""

from datetime import timedelta
from enum import Enum

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 30.0
MAX_REFUSALS = 8
"""So many times may the receiver refuse an order before it is parked for a person to look at."""

_TRANSIENT = frozenset({408, 423, 425, 429})


class Fate(Enum):
    DELIVERED = "delivered"
    RETRY = "retry"
    PARK = "park"


def decide(status: int | None, attempts: int) -> Fate:
    """`status` is the receiver's, None where there was no answer; `attempts` counts this one.

    An outage is retried for ever, since it says nothing about the order. A refusal does: the receiver understood the
    order and will not have it, so it is parked after a few attempts (it may be in the middle of an upgrade).
    """
    if status is not None and 200 <= status < 300:
        return Fate.DELIVERED
    if status is not None and 400 <= status < 500 and status not in _TRANSIENT and attempts >= MAX_REFUSALS:
        return Fate.PARK
    return Fate.RETRY


def delay(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubling, up to a limit, with `chance` (0 to 1) spreading the herd."""
    longest = min(FIRST_DELAY_S * 2 ** min(attempts - 1, 20), LONGEST_DELAY_S)
    return timedelta(seconds=longest * (0.5 + chance / 2))
