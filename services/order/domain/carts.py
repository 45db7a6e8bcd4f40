"""A cart: which SKUs, how many, and what they cost when the shopper last changed something. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.order.domain.errors import CartFull

MAX_LINES = 100
MAX_QUANTITY = 999


@dataclass(frozen=True, slots=True)
class Item:
    """`seen_price`: the unit price that the shopper was last shown; None where there was none."""

    sku: str
    quantity: int
    seen_price: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """`version` is never given twice, over all carts: it names one content of one cart."""

    id: UUID
    owner: UUID
    version: int
    items: tuple[Item, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PriceChange:
    sku: str
    before: int
    now: int


def price_changes(items: Sequence[Item], prices: Mapping[str, int]) -> tuple[PriceChange, ...]:
    """What costs other than it did when the shopper last changed the cart."""
    return tuple(
        PriceChange(item.sku, item.seen_price, prices[item.sku])
        for item in items
        if item.seen_price is not None and item.sku in prices and prices[item.sku] != item.seen_price
    )


def merged(member: Sequence[Item], guest: Sequence[Item]) -> tuple[Item, ...]:
    """Quantities summed for each SKU, the member's items first. Raises CartFull."""
    items = {item.sku: item for item in member}
    for item in guest:
        own = items.get(item.sku)
        quantity = min(item.quantity + (own.quantity if own else 0), MAX_QUANTITY)
        items[item.sku] = Item(item.sku, quantity, own.seen_price if own else item.seen_price)
    if len(items) > MAX_LINES:
        raise CartFull(MAX_LINES)
    return tuple(items.values())


def with_at_least(items: Sequence[Item], wanted: Sequence[Item]) -> Sequence[Item]:
    """Each of `wanted`, in no smaller quantity; nothing is taken out or doubled. `items` itself where all is there: a
    checkout that is open stays good. Raises CartFull."""
    there = {item.sku: item for item in items}
    if all(item.sku in there and there[item.sku].quantity >= item.quantity for item in wanted):
        return items
    for item in wanted:
        if item.sku not in there or there[item.sku].quantity < item.quantity:
            there[item.sku] = item
    if len(there) > MAX_LINES:
        raise CartFull(MAX_LINES)
    return tuple(there.values())


def with_item(items: Sequence[Item], new: Item) -> tuple[Item, ...]:
    """`new` in the place of what there was of its SKU, else at the end. Raises CartFull."""
    if any(item.sku == new.sku for item in items):
        return tuple(new if item.sku == new.sku else item for item in items)
    if len(items) >= MAX_LINES:
        raise CartFull(MAX_LINES)
    return (*items, new)
