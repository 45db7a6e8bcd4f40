"""Sessions in one process' memory, for tests of what builds on them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.auth.application.ports import Ended, Reused, Rotated
from services.auth.domain.refresh_tokens import RefreshToken
from services.auth.domain.sessions import Lifetimes, Session


@dataclass(slots=True)
class _Kept:
    session: Session
    digest: str
    successors: dict[str, tuple[str, float]] = field(default_factory=dict)


class InMemorySessions:
    def __init__(self, lifetimes: Lifetimes, *, most: int = 500) -> None:
        self._lifetimes = lifetimes
        self._most = most
        self._kept: dict[UUID, _Kept] = {}

    async def open(self, session: Session, token: RefreshToken) -> Ended:
        self._kept[session.id] = _Kept(session, token.digest)
        living = sorted(await self.of(session.account, session.created_at), key=self._ends_at)
        surplus = [one.id for one in living[: max(0, len(living) - self._most)]]
        return self._end(surplus, session.created_at)

    async def rotate(
        self, presented: RefreshToken, successor: RefreshToken, now: float
    ) -> Rotated | Reused | None:
        kept = self._kept.get(presented.session)
        if kept is None:
            return None
        if now >= self._ends_at(kept.session):
            return None
        if kept.digest != presented.digest:
            text, until = kept.successors.get(presented.digest, ("", 0.0))
            if now < until:
                return Rotated(kept.session, text)
            return Reused(self._end([presented.session], now))
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

    async def end(self, id_: UUID, now: float) -> Ended:
        return self._end([id_], now)

    async def end_all(self, account: UUID, now: float, *, except_for: UUID | None = None) -> Ended:
        return self._end([one.id for one in await self.of(account, now) if one.id != except_for], now)

    def _end(self, ids: Sequence[UUID], now: float) -> Ended:
        kept = [self._kept.pop(id_).session for id_ in ids if id_ in self._kept]
        ended = [session for session in kept if now < self._ends_at(session)]
        account = ended[0].account if ended else None
        return Ended(account, tuple(session.id for session in ended), len(ended))

    def _ends_at(self, session: Session) -> float:
        return min(session.last_seen_at + self._lifetimes.idle, session.created_at + self._lifetimes.absolute)
