"""A session: one sign-in on one device, alive until it idles out, grows too old or is ended."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

# Verifiers may allow a little clock skew, so a revocation must outlive the last token by more than that.
_SKEW = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """Seconds. `idle` counts from the last refresh, `absolute` from sign-in."""

    access: int
    idle: int
    absolute: int
    grace: int

    def refresh_for(self, opened_at: float, now: float) -> int:
        """How long a refresh token issued now lives, in seconds; 0 or less when the session is over."""
        return min(self.idle, int(opened_at + self.absolute - now))

    def revoked_until(self, now: float) -> int:
        """Unix time after which no access token of a session that ends now can be alive."""
        return int(now) + self.access + _SKEW

    def forgotten_before(self, now: float) -> float:
        """Whatever ended before this moment no access token can name any more, on anybody's clock."""
        return now - self.access - 2 * _SKEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Times are Unix seconds. `device` is the client's own description, `address` its IP address.

    `account`: a guest's is the session itself.
    """

    id: UUID
    account: UUID
    device: str
    address: str
    created_at: float
    last_seen_at: float

    @property
    def guest(self) -> bool:
        """Whether nobody signed in: the session is then its own subject, and there is no account."""
        return self.account == self.id

    @classmethod
    def opened(cls, id_: UUID, account: UUID, *, device: str, address: str, now: float) -> Self:
        return cls(
            id=id_, account=account, device=device[:200], address=address, created_at=now, last_seen_at=now
        )
