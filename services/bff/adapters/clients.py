"""The typed clients of the services that screens are made of."""

from datetime import datetime
from urllib.parse import urlencode

import msgspec

from services.bff.adapters.source import Source
from services.bff.application.sources import (
    Account,
    AddressBook,
    Books,
    Card,
    Cart,
    Category,
    MemberProfile,
    OpenSession,
    Order,
    OrderNumbers,
    Outbox,
    Reconciliation,
    Revenue,
    StockLevel,
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


class _Levels(msgspec.Struct, frozen=True):
    items: list[StockLevel]


class CatalogClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def newest(self, language: str, limit: int) -> list[Card]:
        path = f"/api/products?in_stock=true&sort=newest&limit={limit}&lang={language}"
        return (await self._source.get(path, None, _Cards)).items

    async def categories(self, language: str) -> list[Category]:
        return (await self._source.get(f"/api/categories?lang={language}", None, _Categories)).items

    async def running_out(self, token: str, at_most: int, limit: int) -> list[StockLevel]:
        path = f"/api/stock?for_sale=true&at_most={at_most}&sort=available&limit={limit}"
        return (await self._source.get(path, token, _Levels)).items


class _Orders(msgspec.Struct, frozen=True):
    items: list[Order]


class OrderClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def latest(self, token: str) -> list[Order]:
        return (await self._source.get("/api/orders?limit=1", token, _Orders)).items

    async def cart(self, token: str, language: str) -> Cart:
        return await self._source.get(f"/api/cart?lang={language}", token, Cart)

    async def numbers(self, token: str, since: datetime, before: datetime) -> OrderNumbers:
        path = f"/api/orders/summary?{_between('placed', since, before)}"
        return await self._source.get(path, token, OrderNumbers)


class _Revenues(msgspec.Struct, frozen=True):
    items: list[Revenue]


class PaymentClient:
    def __init__(self, source: Source) -> None:
        self._source = source

    async def revenue(self, token: str, since: datetime, before: datetime) -> list[Revenue]:
        path = f"/api/payments/revenue?{_between('booked', since, before)}"
        return (await self._source.get(path, token, _Revenues)).items

    async def reconciliation(self, token: str) -> Reconciliation:
        books = await self._source.get("/api/payments/reconciliation", token, Books)
        latest = books.latest
        return Reconciliation(
            latest.at if latest else None, len(latest.differences) if latest else 0, books.ledger_sum
        )


class OutboxClient:
    """The outbox of one service."""

    def __init__(self, source: Source, service: str) -> None:
        self._source = source
        self._service = service

    async def stuck(self, token: str) -> Outbox:
        return await self._source.get(f"/api/outbox/{self._service}/summary", token, Outbox)


def _between(what: str, since: datetime, before: datetime) -> str:
    return urlencode({f"{what}_from": since.isoformat(), f"{what}_before": before.isoformat()})
