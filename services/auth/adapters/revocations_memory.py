"""The revocation log in one process' memory, for tests of what tells it."""

from uuid import UUID

from services.auth.application.ports import Ended
from services.auth.domain.sessions import Lifetimes


class InMemoryRevocations:
    def __init__(self, lifetimes: Lifetimes) -> None:
        self._lifetimes = lifetimes
        self.told: list[tuple[UUID, int]] = []

    async def tell(self, ended: Ended, now: float) -> None:
        self.told += [(session, self._lifetimes.revoked_until(now)) for session in ended.sessions]
