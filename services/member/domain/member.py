"""A member and its profile."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID


class Grade(Enum):
    STANDARD = "standard"
    SILVER = "silver"
    GOLD = "gold"
    VIP = "vip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where parcels go. `country` is ISO 3166-1 alpha-2."""

    recipient: str
    line1: str
    line2: str = ""
    city: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What may be changed of a member; every value already in its normal form (values.py)."""

    email: str
    name: str
    phone: str | None = None
    grade: Grade = Grade.STANDARD
    addresses: tuple[Address, ...] = ()
    marketing_consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """`version` counts changes from 1. `has_account`: the member signs in, with an account of the same id.

    `consent_changed_at` is when marketing consent was last given or withdrawn, None if it never was.
    """

    id: UUID
    profile: Profile
    has_account: bool
    consent_changed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def new(cls, id_: UUID, profile: Profile, now: datetime, *, has_account: bool = False) -> "Member":
        return cls(
            id=id_,
            profile=profile,
            has_account=has_account,
            consent_changed_at=now if profile.marketing_consent else None,
            created_at=now,
            updated_at=now,
            version=1,
        )

    def changed(self, profile: Profile, now: datetime) -> "Member":
        """The next version. Consent keeps its time unless it changes: that time is evidence (GDPR art. 7)."""
        same_consent = profile.marketing_consent == self.profile.marketing_consent
        return replace(
            self,
            profile=profile,
            consent_changed_at=self.consent_changed_at if same_consent else now,
            updated_at=now,
            version=self.version + 1,
        )
