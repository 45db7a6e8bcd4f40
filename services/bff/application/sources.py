"""What the screens ask other services for, and the parts of the answers that they use."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class MemberProfile(msgspec.Struct, frozen=True):
    """The caller's member."""

    id: UUID
    email: str
    name: str
    phone: str | None
    grade: str


class Account(msgspec.Struct, frozen=True):
    id: UUID
    email: str
    name: str
    roles: list[str]
    created_at: datetime


class OpenSession(msgspec.Struct, frozen=True):
    """A session as auth lists it."""

    id: UUID
    device: str | None
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    current: bool


class MemberSource(Protocol):
    """Every method takes the caller's access token; raises SourceFailed, SourceEmpty, CallerRefused."""

    async def own(self, token: str) -> MemberProfile: ...


class AuthSource(Protocol):
    """Every method takes the caller's access token; raises SourceFailed, SourceEmpty, CallerRefused."""

    async def account(self, token: str) -> Account: ...

    async def sessions(self, token: str) -> list[OpenSession]: ...
