"""What becomes of a message after an attempt to deliver it. Pure."""

from datetime import timedelta
from enum import Enum

FIRST_DELAY_S = 0.25
MAX_REFUSALS = 8
"""So many times may the receiver refuse a message before it becomes a dead letter for a person to look at."""

_ABOUT_THE_MOMENT = frozenset({408, 423, 425, 429})
_ABOUT_THE_KEY = frozenset({401, 403})
"""Who mends the internal key mends all messages at once; no message is at fault."""


class Answer(Enum):
    """What a target makes of a message."""

    TAKEN = "taken"
    NOT_NOW = "not now"
    """It says nothing about the message: an outage."""
    REFUSED = "refused"
    """The receiver understood it and will not have it. A person can help."""
    HOPELESS = "hopeless"
    """Nobody will ever take it, and nobody can help."""


class Fate(Enum):
    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD_LETTER = "dead_letter"
    DROP = "drop"


def answer(status: int) -> Answer:
    """What a receiver says by its HTTP status."""
    if 200 <= status < 300:
        return Answer.TAKEN
    refused = 400 <= status < 500 and status not in _ABOUT_THE_MOMENT | _ABOUT_THE_KEY
    return Answer.REFUSED if refused else Answer.NOT_NOW


def decide(answer: Answer, refusals: int) -> Fate:
    """`refusals` counts this answer, if it is one.

    An outage is retried for ever, since it says nothing about the message. A refusal does, so that a few of them (the
    receiver may be in the middle of an upgrade) make it a dead letter, however often it was tried.
    """
    if answer is Answer.REFUSED and refusals >= MAX_REFUSALS:
        return Fate.DEAD_LETTER
    return {Answer.TAKEN: Fate.DELIVERED, Answer.HOPELESS: Fate.DROP}.get(answer, Fate.RETRY)


def delay(attempts: int, chance: float, longest: float) -> timedelta:
    """How long to wait after so many attempts: doubling, up to `longest` seconds, with `chance` (0 to 1) spreading
    the herd."""
    bound = min(FIRST_DELAY_S * 2 ** min(attempts - 1, 20), longest)
    return timedelta(seconds=bound * (0.5 + chance / 2))
