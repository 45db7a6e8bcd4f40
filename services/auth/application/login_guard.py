"""What everybody passes who has a password checked or hashed: a place among few, and the throttle.

The throttle is asked by whoever holds a place, and a failure is written down before the place is given back. So
guesses sent at once cannot outrun it by more than the few places that there are.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.auth.application.ports import Clock, HashingTurn, Passwords, Throttle
from services.auth.domain import throttling
from services.auth.domain.errors import TryLater
from services.auth.domain.throttling import Limits, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginGuard:
    hasher: Passwords
    throttle: Throttle
    limits: Limits
    clock: Clock

    @asynccontextmanager
    async def passed(self, address: str, subjects: Sequence[Subject] = ()) -> AsyncIterator[HashingTurn]:
        """A place to verify and hash in, shared fairly with the networks of other callers than `address`.

        Raises TryLater while one of `subjects` has to wait, and Overloaded.
        """
        async with self.hasher.turn(throttling.network(address)) as turn:
            if wait := await self.throttle.wait(subjects, self.clock()):
                raise TryLater(wait)
            yield turn

    async def failed(self, subjects: Sequence[Subject]) -> None:
        await self.throttle.failed(subjects, self.clock())
