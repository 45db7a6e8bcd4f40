"""Sessions in one process' memory, for tests of what builds on them. `revoked` is the revocation log."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from services.auth.application.ports import Reused, Rotated
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Lifetimes, Session


@dataclass(slots=True)
class _Kept:
    session: Session
    digest: str
    successors: dict[str, tuple[str, float]] = field(default_factory=dict)


class MemorySessions:
    def __init__(self, lifetimes: Lifetimes, *, most: int = 500) -> None:
        self._lifetimes = lifetimes
        self._most = most
        self._kept: dict[UUID, _Kept] = {}
        self.revoked: list[tuple[UUID, int]] = []

    async def open(self, session: Session, token: RefreshToken) -> None:
        self._kept[session.id] = _Kept(session, token.digest)
        living = await self.of(session.account, session.created_at)
        for surplus in sorted(living, key=self._ends_at)[: max(0, len(living) - self._most)]:
            await self.end(surplus.id, session.created_at)

    async def rotate(
        self, presented: RefreshToken, successor: RefreshToken, now: float
    ) -> Rotated | Reused | None:
        kept = self._kept.get(presented.session)
        if kept is None:
            return None
        if now >= self._ends_at(kept.session):
            await self.end(presented.session, now)
            return None
        if kept.digest != presented.digest:
            text, until = kept.successors.get(presented.digest, ("", 0.0))
            if now < until:
                return Rotated(kept.session, text)
            await self.end(presented.session, now)
            return Reused(kept.session.account)
        kept.digest = successor.digest
        kept.session = replace(kept.session, last_seen_at=now)
        kept.successors[presented.digest] = (successor.text, now + self._lifetimes.grace)
        return Rotated(kept.session, successor.text)

    async def find(self, id_: UUID, now: float) -> Session | None:
        kept = self._kept.get(id_)
        return kept.session if kept and now < self._ends_at(kept.session) else None

    async def of(self, account: UUID, now: float) -> list[Session]:
        living = [
            kept.session
            for kept in self._kept.values()
            if kept.session.account == account and now < self._ends_at(kept.session)
        ]
        return sorted(living, key=lambda one: one.last_seen_at, reverse=True)

    async def end(self, id_: UUID, now: float) -> UUID | None:
        kept = self._kept.pop(id_, None)
        if kept is None:
            return None
        self.revoked.append((id_, self._lifetimes.revoked_until(now)))
        return kept.session.account

    async def end_all(self, account: UUID, now: float, *, except_for: UUID | None = None) -> int:
        ids = [
            id_ for id_, kept in self._kept.items() if kept.session.account == account and id_ != except_for
        ]
        for id_ in ids:
            await self.end(id_, now)
        return len(ids)

    def _ends_at(self, session: Session) -> float:
        return min(session.last_seen_at + self._lifetimes.idle, session.created_at + self._lifetimes.absolute)
