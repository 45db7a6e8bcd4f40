"""The screens. Each is what its sources said, and decisions about it that belong to no single service."""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

import msgspec

from services.bff.application.gathering import gather
from services.bff.application.sources import (
    Account,
    AuthSource,
    MemberProfile,
    MemberSource,
    OpenSession,
)


class Notice(msgspec.Struct, frozen=True):
    """Something that the caller should know; `code` is for programs, `text` for people."""

    code: str
    level: Literal["info", "warning"]
    text: str


class Section(msgspec.Struct, frozen=True):
    """A part of the shop that the caller may open; `href` is its resource."""

    name: str
    title: str
    href: str


class Session(msgspec.Struct, frozen=True):
    """The session that the caller's token belongs to. `exp` is the token's end in Unix seconds."""

    active: bool
    sub: UUID
    sid: UUID
    roles: list[str]
    exp: int


class Home(msgspec.Struct, frozen=True):
    """The start screen. A source that is named in `degraded` is null here."""

    member: MemberProfile | None
    session: Session
    notices: list[Notice]
    sections: list[Section]
    degraded: list[str]


class AccountPage(msgspec.Struct, frozen=True):
    """The account screen. A source that is named in `degraded` is null here."""

    account: Account | None
    member: MemberProfile | None
    sessions: list[OpenSession] | None
    degraded: list[str]


class Screens:
    """Raises CallerRefused where a source says that the caller's session has ended."""

    def __init__(self, members: MemberSource, auth: AuthSource) -> None:
        self._members = members
        self._auth = auth

    async def home(self, token: str, session: Session) -> Home:
        """`session` is what the token says: a token of a session that has ended comes to no handler."""
        parts = await gather({"member": self._members.own(token)})
        member = parts.found["member"]
        return Home(
            member=member,
            session=session,
            notices=notices(member, parts.missing),
            sections=sections(session.roles),
            degraded=parts.missing,
        )

    async def account(self, token: str) -> AccountPage:
        parts = await gather(
            {
                "account": self._auth.account(token),
                "member": self._members.own(token),
                "sessions": self._auth.sessions(token),
            }
        )
        return AccountPage(
            account=parts.found["account"],
            member=parts.found["member"],
            sessions=parts.found["sessions"],
            degraded=parts.missing,
        )


def notices(member: MemberProfile | None, missing: list[str]) -> list[Notice]:
    """What the caller is told at the top of the screen."""
    found = []
    if missing:
        found.append(Notice("degraded", "warning", "Some of this page cannot be shown at the moment."))
    if member is not None and member.phone is None:
        found.append(
            Notice("phone_missing", "info", "Add your phone number, so that deliveries can reach you.")
        )
    return found


def sections(roles: Collection[str]) -> list[Section]:
    """What the caller may open; a new part of the shop adds its line."""
    found = [
        Section("profile", "Your profile", "/api/members/me"),
        Section("sessions", "Where you are signed in", "/api/auth/sessions"),
    ]
    if "admin" in roles:
        found.append(Section("members", "Members", "/api/members"))
    return found
