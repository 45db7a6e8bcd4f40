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


class Address(msgspec.Struct, frozen=True):
    """An address of the member's book."""

    recipient: str
    line1: str
    line2: str | None
    city: str
    postal_code: str
    country: str


class AddressBook(msgspec.Struct, frozen=True):
    """The caller's member, as far as an order needs it."""

    id: UUID
    email: str
    name: str
    phone: str | None
    addresses: list[Address]
    version: int


class Picture(msgspec.Struct, frozen=True):
    hash: str
    width: int
    height: int
    widths: list[int]
    alt: str


class Card(msgspec.Struct, frozen=True):
    """A product as lists show it. Amounts are in minor units."""

    id: UUID
    slug: str
    name: str
    brand: str
    category: UUID
    price: int
    compare_at_price: int | None
    currency: str
    availability: str
    image: Picture | None


class Category(msgspec.Struct, frozen=True):
    id: UUID
    slug: str
    name: str


class CartLine(msgspec.Struct, frozen=True):
    """A line of the cart at today's price."""

    sku: str
    slug: str
    name: dict[str, str]
    option_names: dict[str, str]
    image: str | None
    quantity: int
    unit_price: int
    compare_at_price: int | None
    available: int
    availability: str


class CartUnavailable(msgspec.Struct, frozen=True):
    sku: str
    reason: str
    left: int
    name: dict[str, str] = {}
    image: str | None = None


class CartChange(msgspec.Struct, frozen=True):
    sku: str
    before: int
    now: int


class Cart(msgspec.Struct, frozen=True):
    """The caller's cart at today's prices; what an order is placed with is `version` and `total`."""

    version: int
    currency: str
    lines: list[CartLine]
    unavailable: list[CartUnavailable]
    changes: list[CartChange]
    items: int
    shipping: int
    tax: int
    total: int
    free_shipping_from: int | None = None
    countries: list[str] = []
    """Where the shop sends to, the usual one first."""


class OrderLine(msgspec.Struct, frozen=True):
    name: dict[str, str]
    image: str | None
    quantity: int


class Order(msgspec.Struct, frozen=True):
    """An order in short."""

    id: UUID
    number: str
    state: str
    currency: str
    total: int
    placed_at: datetime
    lines: list[OrderLine]


class OrderNumbers(msgspec.Struct, frozen=True):
    """Orders by state: those placed in the interval, and those that something still happens to."""

    placed: dict[str, int]
    open: dict[str, int]
    unsent_since: datetime | None
    currency: str


class Revenue(msgspec.Struct, frozen=True):
    """In minor units, of the ledger."""

    currency: str
    captured: int
    refunded: int
    net: int


class Comparison(msgspec.Struct, frozen=True):
    at: datetime
    differences: list[msgspec.Raw]


class Books(msgspec.Struct, frozen=True):
    """What payment says of its latest comparison with the provider."""

    latest: Comparison | None
    ledger_sum: int


class Reconciliation(msgspec.Struct, frozen=True):
    """`at` is null before the first comparison. `ledger_sum` is zero, or the books are wrong."""

    at: datetime | None
    differences: int
    ledger_sum: int


class Outbox(msgspec.Struct, frozen=True):
    """`dead`: messages that were given up, at most 100; `waiting_since`: of the oldest that is still tried."""

    dead: int
    waiting_since: datetime | None


class StockLevel(msgspec.Struct, frozen=True):
    sku: str
    slug: str
    product_id: UUID
    names: dict[str, str]
    option_names: dict[str, str]
    available: int


class MemberSource(Protocol):
    """Every method takes the caller's access token; raises SourceFailed, SourceEmpty, CallerRefused."""

    async def own(self, token: str) -> MemberProfile: ...

    async def book(self, token: str) -> AddressBook: ...


class CatalogSource(Protocol):
    """For everybody. Every method raises SourceFailed."""

    async def newest(self, language: str, limit: int) -> list[Card]:
        """What can be bought, the newest first."""
        ...

    async def categories(self, language: str) -> list[Category]:
        """The top of the tree."""
        ...


class OrderSource(Protocol):
    """Every method takes the caller's access token; raises SourceFailed, CallerRefused."""

    async def latest(self, token: str) -> list[Order]:
        """The caller's last order, if any."""
        ...

    async def cart(self, token: str, language: str) -> Cart: ...


class OrderBookSource(Protocol):
    """Of everybody's orders. Takes an administrator's access token; raises SourceFailed, CallerRefused."""

    async def numbers(self, token: str, since: datetime, before: datetime) -> OrderNumbers: ...


class BooksSource(Protocol):
    """Every method takes an administrator's access token; raises SourceFailed, CallerRefused."""

    async def revenue(self, token: str, since: datetime, before: datetime) -> list[Revenue]: ...

    async def reconciliation(self, token: str) -> Reconciliation: ...


class StockSource(Protocol):
    """Takes an administrator's access token; raises SourceFailed, CallerRefused."""

    async def running_out(self, token: str, at_most: int, limit: int) -> list[StockLevel]:
        """What is for sale and hardly there, the scarcest first."""
        ...


class OutboxSource(Protocol):
    """Takes an administrator's access token; raises SourceFailed, CallerRefused."""

    async def stuck(self, token: str) -> Outbox:
        """What one service could not deliver."""
        ...


class AuthSource(Protocol):
    """Every method takes the caller's access token; raises SourceFailed, SourceEmpty, CallerRefused."""

    async def account(self, token: str) -> Account: ...

    async def sessions(self, token: str) -> list[OpenSession]: ...
