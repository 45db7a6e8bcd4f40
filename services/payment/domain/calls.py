"""When a call of the provider may be repeated under its key, and when one has to look first. Pure.

A key makes repeats harmless, with two gaps of Stripe's: it gives a saved 500 again although the call may have taken
effect, and it may forget a key after 24 hours. So after a 5xx, and from 23 hours on, what the call should have done is
looked for at the provider. Only where it is not there is the call made once more, under the next key.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

KEYS_ARE_KEPT = timedelta(hours=23)
SETTLES_WITHIN = timedelta(seconds=30)
"""An operation that was answered with a 5xx may still be under way for so long; an earlier look may miss it."""

CLOCKS_DIFFER_BY = timedelta(minutes=5)
"""The provider's and ours, at most. It counts in whole seconds, too."""


def page_call(order: UUID, attempt: int) -> str:
    """The name of the call that makes the page of an attempt."""
    return f"session:{order}:{attempt}"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was written down before it was made. `round` counts its keys, from 1.

    `begun_at`: when the first attempt under this key was made; `failed_at`: when a 5xx answered one.
    """

    name: str
    round: int
    begun_at: datetime
    failed_at: datetime | None = None

    @property
    def key(self) -> str:
        return self.name if self.round == 1 else f"{self.name}:{self.round}"

    def look_first(self, now: datetime) -> bool:
        return self.failed_at is not None or now - self.begun_at >= KEYS_ARE_KEPT

    def may_be_under_way(self, now: datetime, settles_within: timedelta = SETTLES_WITHIN) -> bool:
        return self.failed_at is not None and now - self.failed_at < settles_within
