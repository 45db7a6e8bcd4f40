"""Rotating the signing key: publish, wait, switch, retire.

Only the first is an act. The rest follows from the times that are stored with the key (domain/keys.py): every
process of auth reads them, so a rotation goes on whatever becomes of the command that began it.
"""

from dataclasses import dataclass
from typing import Protocol

from services.auth.application.ports import Audit, Clock
from services.auth.domain.errors import RotationUnderWay


class Keys(Protocol):
    async def begin(self, now: float, *, signs_from: float) -> str | None:
        """A new key, published from now on: its kid. None while another one waits to sign."""

    async def replace_all(self, now: float) -> str:
        """Drops every key and makes one that signs from now on; its kid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """Unix seconds. Old keys are withdrawn from `retired_at` on."""

    kid: str
    signs_from: float
    retired_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """`lead`: seconds for which the key is public before it signs: longer than anybody keeps a JWK set."""

    keys: Keys
    audit: Audit
    clock: Clock
    lead: int
    outlives: int

    async def __call__(self) -> Rotated:
        """Raises RotationUnderWay."""
        now = self.clock()
        signs_from = now + self.lead
        kid = await self.keys.begin(now, signs_from=signs_from)
        if kid is None:
            raise RotationUnderWay
        self.audit.record("key_rotation_begun", kid=kid, signs_from=int(signs_from))
        return Rotated(kid=kid, signs_from=signs_from, retired_at=signs_from + self.outlives)

    async def at_once(self) -> str:
        """For a key that got out: nothing that it signed is good once everybody has the new key set; the new kid."""
        kid = await self.keys.replace_all(self.clock())
        self.audit.record("keys_replaced", kid=kid)
        return kid
