"""The typed clients of the services that screens are made of."""

import msgspec

from services.bff.adapters.source import Source
from services.bff.application.sources import (
    Account,
    AddressBook,
    Card,
    Cart,
    Category,
    MemberProfile,
    OpenSession,
    Order,
)


class MemberClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def own(self, token: str) -> MemberProfile:
        return await self._source.get("/api/members/me", token, MemberProfile)

    async def book(self, token: str) -> AddressBook:
        return await self._source.get("/api/members/me", token, AddressBook)


class _Sessions(msgspec.Struct, frozen=True):
    items: list[OpenSession]


class AuthClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def account(self, token: str) -> Account:
        return await self._source.get("/api/auth/me", token, Account)

    async def sessions(self, token: str) -> list[OpenSession]:
        return (await self._source.get("/api/auth/sessions", token, _Sessions)).items


class _Cards(msgspec.Struct, frozen=True):
    items: list[Card]


class _Categories(msgspec.Struct, frozen=True):
    items: list[Category]


class CatalogClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def newest(self, language: str, limit: int) -> list[Card]:
        path = f"/api/products?in_stock=true&sort=newest&limit={limit}&lang={language}"
        return (await self._source.get(path, None, _Cards)).items

    async def categories(self, language: str) -> list[Category]:
        return (await self._source.get(f"/api/categories?lang={language}", None, _Categories)).items


class _Orders(msgspec.Struct, frozen=True):
    items: list[Order]


class OrderClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def latest(self, token: str) -> list[Order]:
        return (await self._source.get("/api/orders?limit=1", token, _Orders)).items

    async def cart(self, token: str, language: str) -> Cart:
        return await self._source.get(f"/api/cart?lang={language}", token, Cart)
