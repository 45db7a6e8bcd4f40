"""What the use cases need of the world outside."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from services.order.domain.carts import Cart, Item
from services.order.domain.orders import Address, Line, Occurrence, Order, Payment, Shipment
from services.order.domain.refunds import Plan, Refunded
from services.order.domain.states import Command, Reason, State
from services.order.domain.transitions import Transition


class UnitOfWork(Protocol):
    """Makes what happens inside one change: all of it is kept, or none."""

    def transaction(self) -> AbstractAsyncContextManager[Any]: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides about an order's next step."""

    state: State
    reason: Reason | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedLine:
    """A line as catalog prices it now. `available`: how many can be had."""

    sku: str
    variant: UUID
    product: UUID
    slug: str
    names: dict[str, str]
    option_names: dict[str, str]
    image: str | None
    quantity: int
    unit_price: int
    compare_at_price: int | None
    vat_rate: int
    tax: int
    available: int
    availability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """`reason`: unknown, not_sold, sold_out or too_few. `names`: of what is known and not among the lines."""

    sku: str
    reason: str
    left: int
    names: dict[str, str] = field(default_factory=dict)
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    currency: str
    lines: tuple[QuotedLine, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()
    total: int = 0
    tax: int = 0


class Quotes(Protocol):
    async def quote(self, items: Sequence[tuple[str, int]], lang: str) -> Quote:
        """SKUs and quantities, at today's prices. Raises Unavailable where catalog gives no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order about to be placed; its number comes from the store."""

    id: UUID
    owner: UUID
    guest: bool
    email: str
    lang: str
    currency: str
    items: int
    shipping: int
    tax: int
    address: Address
    lines: tuple[Line, ...]
    cart: UUID
    hold_until: datetime
    placed_at: datetime


class OrderSort(Enum):
    """By when orders were placed; each ends with the id, so that it is total."""

    LATEST = "-placed_at"
    OLDEST = "placed_at"
    """As they are worked through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """`after`: when the last order of the page before was placed, and its id. Bounds are half-open. `recipient`: a part
    of the name, of two characters or more."""

    limit: int
    sort: OrderSort = OrderSort.LATEST
    owner: UUID | None = None
    states: tuple[State, ...] = ()
    email: str | None = None
    number: int | None = None
    recipient: str | None = None
    placed_from: datetime | None = None
    placed_before: datetime | None = None
    after: tuple[datetime, UUID] | None = None


MOST_COUNTED = 1_000
"""Orders of one state: nobody works through more, and counting costs no more than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Numbers of orders by state: of those placed in an interval, and of all that are open (`MOST_COUNTED` at most).
    `unsent_since`: when the oldest paid order was placed that is not sent."""

    placed: Mapping[str, int]
    open: Mapping[str, int]
    unsent_since: datetime | None


class Orders(Protocol):
    """The orders. Changes take part in the transaction at hand."""

    async def add(self, order: NewOrder, occurrence: Occurrence) -> Order:
        """With the first line of its timeline. The order as `get` reads it."""

    async def get(self, id_: UUID) -> Order | None: ...

    async def page(self, query: OrderQuery) -> Sequence[Order]:
        """At most `limit` orders, in the order of `sort`."""

    async def summary(self, since: datetime, before: datetime) -> Summary:
        """Of those placed in [since, before), and of all that are open."""

    async def standing(self, id_: UUID) -> Standing | None: ...

    async def move(self, id_: UUID, version: int, transition: Transition, occurrence: Occurrence) -> bool:
        """Compare-and-set, with its line of the timeline: False where the order is at another version, and then nothing
        is recorded."""

    async def moved(
        self, id_: UUID, version: int, transition: Transition, occurrence: Occurrence
    ) -> Order | None:
        """As `move`: the order as it is then, None where it is at another version."""

    async def touch(self, id_: UUID, version: int, now: datetime) -> bool:
        """The next version of an order whose state stays. False as `move`."""

    async def record(self, id_: UUID, occurrence: Occurrence) -> None:
        """One more line of the timeline."""

    async def timeline(self, id_: UUID) -> Sequence[Occurrence]: ...

    async def remember_payment(self, id_: UUID, payment: Payment, sequence: int) -> Standing | None:
        """Keeps the copy of the payment, and says where the order stands, which nobody else changes until the
        transaction ends. None where a later one is known already, or there is no such order."""

    async def ship(self, id_: UUID, shipment: Shipment) -> None: ...

    async def correct_shipment(self, id_: UUID, carrier: str, tracking_number: str) -> None:
        """Of the latest shipment; when it was sent stays."""

    async def shipments(self, id_: UUID) -> Sequence[Shipment]: ...

    async def due(self, now: datetime, limit: int) -> Sequence[UUID]:
        """Unpaid orders whose hold is over, the longest over first."""

    async def claim(self, email: str, owner: UUID, now: datetime) -> Sequence[UUID]:
        """Gives the guests' orders of an address to an account. Returns which."""

    async def opened_by(self, digest: bytes) -> UUID | None:
        """The order that a mailed link opens, by the digest of its token."""


class Carts(Protocol):
    """The carts that are open; each owner has one at most. Changes take part in the transaction at hand."""

    async def find(self, owner: UUID) -> Cart | None: ...

    async def write(self, owner: UUID, items: Sequence[Item], now: datetime) -> Cart:
        """The owner's cart has exactly these items then."""

    async def replace(
        self, owner: UUID, before: Cart | None, items: Sequence[Item], now: datetime
    ) -> Cart | None:
        """As `write`, where the cart is still as it was read; None where it is not, and then nothing is changed."""

    async def locked(self, owner: UUID) -> Cart | None:
        """As `find`; until the transaction ends nobody else changes it, or makes one where there is none."""

    async def close(self, cart: UUID, version: int, order: UUID | None, now: datetime) -> bool:
        """False where it is not open at that version."""

    async def ordered(self, owner: UUID, version: int) -> UUID | None:
        """The order that was placed from the owner's cart of that version."""


class Messages(Protocol):
    """Asks others, in the transaction at hand (domain/states.py Command)."""

    async def send(self, order: UUID, commands: Sequence[Command], known: Order | None = None) -> None:
        """`known`: the order, where the caller has it of this transaction."""

    async def refund(self, order: UUID, refund: UUID, amount: int, reason: str) -> None: ...

    async def mail_refund(self, order: UUID, refund: UUID) -> None:
        """Tells the shopper that this part was given back."""

    async def mail_correction(self, order: UUID) -> None:
        """Tells the shopper what the shipment's carrier and number really are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPage:
    """`url`: where the shopper pays; None where there is nothing to pay any more."""

    state: str
    url: str | None


class Payments(Protocol):
    async def page(self, order: Order) -> PaymentPage:
        """Of the session that lives, or a new one. Raises PaymentUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`state`: asked, pending, done or failed. `parts`: units by the position of their line, and their amounts."""

    id: UUID
    amount: int
    reason: str
    note: str
    state: str
    parts: tuple[tuple[int, int, int], ...]
    shipping: bool
    actor: str
    created_at: datetime


class Refunds(Protocol):
    """Changes take part in the transaction at hand."""

    async def before(self, order: UUID) -> Refunded:
        """What was given back or is about to be; failed ones do not count."""

    async def add(
        self, id_: UUID, order: UUID, plan: Plan, reason: str, note: str, actor: str, now: datetime
    ) -> None: ...

    async def settle(self, id_: UUID, state: str, now: datetime) -> bool:
        """Whether that was news. A done or failed refund stays so, but a done one may yet fail."""

    async def of(self, order: UUID) -> Sequence[Refund]: ...

    async def pending(self, order: UUID) -> Sequence[tuple[UUID, int, str]]:
        """Id, amount and reason of those that payment is at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`confirmed`: whether its owner reads mails at `email`."""

    id: UUID
    email: str
    confirmed: bool


class Accounts(Protocol):
    async def of(self, token: str) -> Account:
        """Whose access token it is. Raises Unauthenticated, Unavailable."""
