"""The typed clients of member and auth."""

import msgspec

from services.bff.adapters.source import Source
from services.bff.application.sources import Account, MemberProfile, OpenSession


class MemberClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def own(self, token: str) -> MemberProfile:
        return await self._source.get("/api/members/me", token, MemberProfile)


class _Sessions(msgspec.Struct, frozen=True):
    items: list[OpenSession]


class AuthClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def account(self, token: str) -> Account:
        return await self._source.get("/api/auth/me", token, Account)

    async def sessions(self, token: str) -> list[OpenSession]:
        return (await self._source.get("/api/auth/sessions", token, _Sessions)).items
