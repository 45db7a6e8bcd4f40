"""The use cases of members."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.member.application.ports import Accounts, Members, Query, UnitOfWork
from services.member.domain.errors import EmailIsSignIn, NotYours, StaleMember, UnknownMember
from services.member.domain.member import Member, Profile
from services.member.domain.values import composed

Versions = frozenset[int] | None
"""The versions that the caller is ready to change; None is any."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. A member's id is its account's, so `account` says whose row is their own."""

    account: UUID
    is_admin: bool

    def may_see(self, id_: UUID) -> bool:
        return self.is_admin or self.account == id_


@dataclass(frozen=True, slots=True)
class MemberService:
    members: Members
    accounts: Accounts
    work: UnitOfWork
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]

    async def page(self, query: Query) -> Sequence[Member]:
        return await self.members.page(query)

    async def create(self, profile: Profile) -> Member:
        """A member without an account. Raises EmailTaken."""
        member = Member.new(self.new_id(), profile, self.clock())
        async with self.work.transaction():
            await self.members.add(member)
        return member

    async def get(self, caller: Caller, id_: UUID) -> Member:
        """Raises UnknownMember, also where there is one that is not the caller's: existence is not told."""
        member = await self.members.get(id_) if caller.may_see(id_) else None
        if member is None:
            raise UnknownMember
        return member

    async def change(
        self, caller: Caller, id_: UUID, versions: Versions, change: Callable[[Profile], Profile]
    ) -> Member:
        """Gives the member the profile that `change` makes of the present one.

        Raises UnknownMember, StaleMember, EmailTaken, NotYours where a caller would change their own grade, and
        EmailIsSignIn where they would change the address of an account.
        """
        async with self.work.transaction():
            member = await self.get(caller, id_)
            if versions is not None and member.version not in versions:
                raise StaleMember
            profile = change(member.profile)
            if profile.grade is not member.profile.grade and not caller.is_admin:
                raise NotYours
            new_email = profile.email != member.profile.email
            if new_email and member.has_account:
                raise EmailIsSignIn
            changed = member.changed(profile, self.clock())
            # Somebody else may have changed it since the read above: the store decides who was first.
            if not await self.members.save(changed, new_email=new_email):
                raise StaleMember
        return changed

    async def delete(self, caller: Caller, id_: UUID, versions: Versions) -> None:
        """Wipes the personal data, keeps the id, and ends the account. Raises UnknownMember, StaleMember."""
        async with self.work.transaction():
            member = await self.get(caller, id_)
            if not await self.members.delete(id_, self.clock(), versions=versions):
                raise StaleMember
            if member.has_account:
                await self.accounts.delete(id_)

    async def follow_account(self, id_: UUID, email: str, name: str, sequence: int | None = None) -> bool:
        """An account was registered or changed; True where its member is new. Repeating is harmless.

        `sequence`: the later of two has the higher number; the earlier, if it comes after, is done with.
        """
        member = Member.new(id_, Profile(email=email, name=composed(name)), self.clock())
        async with self.work.transaction():
            return await self.members.follow_account(replace(member, has_account=True), sequence)
