"""What becomes of an order after an attempt to deliver it. Pure."""

from datetime import timedelta
from enum import Enum

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 30.0
MAX_REFUSALS = 8
"""So many times may the receiver refuse an order before it is parked for a person to look at."""

_ABOUT_THE_MOMENT = frozenset({408, 423, 425, 429})
_ABOUT_THE_KEY = frozenset({401, 403})
"""Who mends the internal key mends all orders at once; no order is at fault."""


class Fate(Enum):
    DELIVERED = "delivered"
    RETRY = "retry"
    PARK = "park"


def is_refusal(status: int | None) -> bool:
    """Whether the receiver understood the order and will not have it; None is no answer."""
    return status is not None and 400 <= status < 500 and status not in _ABOUT_THE_MOMENT | _ABOUT_THE_KEY


def decide(status: int | None, refusals: int) -> Fate:
    """`status` is the receiver's, None where there was no answer; `refusals` counts this one, if it is one.

    An outage is retried for ever, since it says nothing about the order. A refusal does, so that the order is parked
    after a few of them (the receiver may be in the middle of an upgrade), however often it was tried before.
    """
    if status is not None and 200 <= status < 300:
        return Fate.DELIVERED
    if is_refusal(status) and refusals >= MAX_REFUSALS:
        return Fate.PARK
    return Fate.RETRY


def delay(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubling, up to a limit, with `chance` (0 to 1) spreading the herd."""
    longest = min(FIRST_DELAY_S * 2 ** min(attempts - 1, 20), LONGEST_DELAY_S)
    return timedelta(seconds=longest * (0.5 + chance / 2))
