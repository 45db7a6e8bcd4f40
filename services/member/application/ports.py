"""What the use cases need of the world outside."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from services.member.domain.member import Grade, Member


class Sort(Enum):
    """The orders in which members can be listed; each ends with the id, so that it is total."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    NAME = "name"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which members to list. `prefix` is matched with the start of name or e-mail, whatever its case.

    `after` is the sort value and the id of the last member of the page before.
    """

    sort: Sort = Sort.NEWEST
    limit: int = 20
    prefix: str | None = None
    grade: Grade | None = None
    marketing_consent: bool | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    after: tuple[str | datetime, UUID] | None = None


class Members(Protocol):
    """The members that exist. Deleted ones are found by nothing here."""

    async def add(self, member: Member) -> None:
        """Raises EmailTaken where another member has the e-mail."""

    async def follow_account(self, member: Member, sequence: int | None = None) -> bool:
        """Makes the member of an account, or gives it the account's e-mail and name; True where it was made.

        What the account said before is remembered: hearing the same again changes nothing, so that a repeat does not
        undo a name that the member changed since. A repeat is known by its `sequence`, which is not later than the
        latest, or without one by what it says. A name is taken over only where it is not what was said before; an
        e-mail is never refused: it is the account's, and auth has decided about it. Of what the member has already, it
        gets no new version. A deleted member stays deleted.
        """

    async def get(self, id_: UUID) -> Member | None: ...

    async def page(self, query: Query) -> Sequence[Member]:
        """At most `limit` members, in the query's order."""

    async def save(self, member: Member, *, new_email: bool) -> bool:
        """Stores the next version. False where the stored version is not the one before it, or there is none.

        Raises EmailTaken as `add` does, but only for a `new_email`: an account may share its address with a member
        that was there before, and both can go on changing everything else.
        """

    async def delete(self, id_: UUID, now: datetime, *, versions: frozenset[int] | None) -> bool:
        """Wipes all personal data and keeps the id. False where it does not exist or is at no given version."""


class Accounts(Protocol):
    """Tells auth of changes that it must follow; told in the transaction of the change, delivered afterwards."""

    async def delete(self, id_: UUID) -> None:
        """Ends the account and wipes what it has of its owner."""


class UnitOfWork(Protocol):
    """Makes what happens inside one change: all of it is kept, or none."""

    def transaction(self) -> AbstractAsyncContextManager[Any]: ...
