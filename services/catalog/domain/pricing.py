"""What lines of an order cost now, and which of them cannot be had. Pure.

A quote is shown and compared with, and decides nothing about stock: that is the reservation's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from common.money import tax_within
from services.catalog.domain.products import VatClass


class Missing(Enum):
    """Why a line cannot be bought as it is."""

    UNKNOWN = "unknown"
    NOT_SOLD = "not_sold"
    SOLD_OUT = "sold_out"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class VatRates:
    """In basis points; prices include them."""

    standard: int
    reduced: int
    zero: int = 0

    def of(self, vat_class: VatClass) -> int:
        rates: Mapping[VatClass, int] = {
            VatClass.STANDARD: self.standard,
            VatClass.REDUCED: self.reduced,
            VatClass.ZERO: self.zero,
        }
        return rates[vat_class]


@dataclass(frozen=True, slots=True)
class Wanted:
    sku: str
    quantity: int


def missing(quantity: int, *, exists: bool, for_sale: bool, available: int) -> Missing | None:
    """None where so many can be bought."""
    if not exists:
        return Missing.UNKNOWN
    if not for_sale:
        return Missing.NOT_SOLD
    if available <= 0:
        return Missing.SOLD_OUT
    return Missing.TOO_FEW if available < quantity else None


def summed(lines: Sequence[Wanted]) -> list[Wanted]:
    """One line for each SKU, in the order in which they were first named."""
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    return [Wanted(sku, quantity) for sku, quantity in quantities.items()]


def tax(unit_price: int, quantity: int, rate: int) -> int:
    """The VAT within a line's price."""
    return tax_within(unit_price * quantity, rate)
