"""When a signing key is published, signs and is withdrawn.

A key is published before it signs, so that verifiers know it by the time they meet it, and stays published
after its successor took over until the last token that it signed has expired. All follows from two stored
times, so that every process decides alike and a rotation that was cut short completes by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTimes:
    """Unix seconds. A key is public from `created_at`, signs from `signs_from` until a later key does."""

    kid: str
    created_at: float
    signs_from: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """`outlives`: seconds that a key stays published after its last signature (token lifetime and skew)."""

    keys: Sequence[KeyTimes]
    outlives: int

    def signing(self, now: float) -> str | None:
        """The kid to sign with: of the keys whose time has come, the latest."""
        due = [key for key in self.keys if key.signs_from <= now]
        return max(due, key=lambda key: (key.signs_from, key.kid)).kid if due else None

    def published(self, now: float) -> list[str]:
        """The kids that belong in the JWKS."""
        retired = set(self.retired(now))
        return [key.kid for key in self.keys if key.kid not in retired]

    def retired(self, now: float) -> list[str]:
        """The kids that no living token needs."""
        by_start = sorted(self.keys, key=lambda key: (key.signs_from, key.kid))
        return [
            key.kid for key, successor in pairwise(by_start) if successor.signs_from + self.outlives <= now
        ]
