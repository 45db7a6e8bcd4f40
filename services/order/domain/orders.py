"""An order: what was bought, for how much, by whom, and whereto. All of it is a copy; nothing edits it later."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.order.domain.states import Reason, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the goods go. `phone` is E.164, `country` ISO 3166-1 alpha-2."""

    recipient: str
    phone: str
    line1: str
    line2: str
    city: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`units` has what each single unit costs and `unit_taxes` the VAT within it, in minor units; both add up to the
    line's exactly, so that refunds of single units do as well."""

    position: int
    sku: str
    variant: UUID
    product: UUID
    slug: str
    names: dict[str, str]
    option_names: dict[str, str]
    image: str | None
    quantity: int
    unit_price: int
    vat_rate: int
    units: tuple[int, ...]
    unit_taxes: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.units)

    @property
    def tax(self) -> int:
        return sum(self.unit_taxes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What payment said last, of the order's money. A copy to show; the books are payment's."""

    state: str = ""
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    refund_pending: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`owner`: the account, or the guest's session. `hold_until`: unpaid for so long, it is closed."""

    id: UUID
    number: int
    owner: UUID
    guest: bool
    email: str
    lang: str
    state: State
    reason: Reason | None
    version: int
    currency: str
    items: int
    shipping: int
    tax: int
    address: Address
    lines: tuple[Line, ...]
    payment: Payment
    hold_until: datetime
    placed_at: datetime
    updated_at: datetime

    @property
    def total(self) -> int:
        return self.items + self.shipping


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One line of an order's timeline. `state` is the order's after it; `actor` an account, or empty for the house."""

    at: datetime
    event: str
    state: str
    actor: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    carrier: str
    tracking_number: str
    at: datetime

    @property
    def label(self) -> str:
        """As people read it: `CJ 1234-5678`."""
        return f"{self.carrier} {self.tracking_number}".strip()
