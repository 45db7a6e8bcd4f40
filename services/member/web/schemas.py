"""What the member API takes and gives, as its document shows it."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from common import email_address
from services.member.domain import values
from services.member.domain.member import Address, Grade, Member, Profile

# Documented here, decided by the domain: it knows the form in which length counts.
Text = Annotated[str, Meta(extra_json_schema={"extra": {"min_length": 1, "max_length": values.MAX_NAME}})]
OptionalText = Annotated[str, Meta(extra_json_schema={"extra": {"max_length": values.MAX_NAME}})]
Email = Annotated[
    str,
    Meta(
        examples=["minji@example.com"],
        extra_json_schema={"extra": {"min_length": 3, "max_length": email_address.LONGEST}},
    ),
]
Name = Annotated[
    str,
    Meta(
        examples=["Kim Minji"], extra_json_schema={"extra": {"min_length": 1, "max_length": values.MAX_NAME}}
    ),
]
Phone = Annotated[str, Meta(max_length=40, description="E.164.", examples=["+821012345678"])]


class AddressBody(msgspec.Struct, frozen=True):
    """A shipping address."""

    recipient: Text
    line1: Text
    city: Text
    postal_code: Annotated[
        str,
        Meta(
            examples=["04524"],
            extra_json_schema={"extra": {"min_length": 1, "max_length": values.MAX_POSTAL_CODE}},
        ),
    ]
    country: Annotated[str, Meta(description="ISO 3166-1 alpha-2.", examples=["KR"])]
    line2: OptionalText = ""

    def address(self) -> Address:
        return Address(**msgspec.structs.asdict(self))


Addresses = Annotated[list[AddressBody], Meta(max_length=values.MAX_ADDRESSES)]


class MemberBody(msgspec.Struct, frozen=True):
    """A member. `version` is also the ETag; `marketing_consent_at` is when consent was last given or withdrawn.

    `has_account`: the member signs in with `email`, which auth alone changes.
    """

    id: UUID
    email: str
    name: str
    phone: str | None
    grade: Grade
    addresses: list[AddressBody]
    marketing_consent: bool
    marketing_consent_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    has_account: bool

    @classmethod
    def of(cls, member: Member) -> "MemberBody":
        profile = member.profile
        return cls(
            id=member.id,
            email=profile.email,
            name=profile.name,
            phone=profile.phone,
            grade=profile.grade,
            addresses=[AddressBody(**asdict(address)) for address in profile.addresses],
            marketing_consent=profile.marketing_consent,
            marketing_consent_at=member.consent_changed_at,
            created_at=member.created_at,
            updated_at=member.updated_at,
            version=member.version,
            has_account=member.has_account,
        )


class NewMember(msgspec.Struct, frozen=True):
    """A member to be made."""

    email: Email
    name: Name
    phone: Phone | None = None
    grade: Grade = Grade.STANDARD
    addresses: Addresses = []
    marketing_consent: bool = False

    def profile(self) -> Profile:
        return values.profile(
            email=self.email,
            name=self.name,
            phone=self.phone,
            grade=self.grade,
            addresses=[address.address() for address in self.addresses],
            marketing_consent=self.marketing_consent,
        )


class MemberReplacement(msgspec.Struct, frozen=True):
    """The whole profile anew: what is left out is emptied, but the grade, which then stays as it is."""

    email: Email
    name: Name
    phone: Phone | None = None
    grade: Grade | UnsetType = UNSET
    addresses: Addresses = []
    marketing_consent: bool = False

    def apply(self, present: Profile) -> Profile:
        return values.profile(
            email=self.email,
            name=self.name,
            phone=self.phone,
            grade=present.grade if self.grade is UNSET else self.grade,
            addresses=[address.address() for address in self.addresses],
            marketing_consent=self.marketing_consent,
            present=present,
        )


class MemberPatch(msgspec.Struct, frozen=True):
    """A merge patch (RFC 7396): members left out stay, null empties, an array replaces the whole array."""

    email: Email | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    phone: Phone | UnsetType | None = UNSET
    grade: Grade | UnsetType = UNSET
    addresses: Addresses | UnsetType | None = UNSET
    marketing_consent: bool | UnsetType = UNSET

    def apply(self, present: Profile) -> Profile:
        return values.profile(
            email=present.email if self.email is UNSET else self.email,
            name=present.name if self.name is UNSET else self.name,
            phone=present.phone if self.phone is UNSET else self.phone,
            grade=present.grade if self.grade is UNSET else self.grade,
            addresses=(
                present.addresses
                if self.addresses is UNSET
                else [address.address() for address in self.addresses or ()]
            ),
            marketing_consent=(
                present.marketing_consent if self.marketing_consent is UNSET else self.marketing_consent
            ),
            present=present,
        )


class AccountMember(msgspec.Struct, frozen=True):
    """What auth says of an account's owner; it has checked both. NUL is what PostgreSQL would not take."""

    email: Annotated[str, Meta(min_length=3, max_length=320, pattern=r"^[^\x00]+$")]
    name: Annotated[str, Meta(min_length=1, max_length=400, pattern=r"^[^\x00]+$")]
