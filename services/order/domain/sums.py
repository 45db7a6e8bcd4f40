"""What an order costs. Pure; amounts in minor units of the store's one currency, VAT included.

Each line is divided to its units when the order is placed, so that whatever is refunded later adds up to the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.money import allocate, tax_within


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingRates:
    """`fee` for each order, nothing from `free_from` on (None: never). `countries`: where the shop sends to,
    as codes of ISO 3166-1, the usual one first."""

    fee: int
    free_from: int | None
    countries: tuple[str, ...]
    vat_rate: int

    def of(self, items: int) -> int:
        return 0 if self.free_from is not None and items >= self.free_from else self.fee

    def tax(self, shipping: int) -> int:
        """The VAT within the fee."""
        return tax_within(shipping, self.vat_rate)


def units(total: int, quantity: int) -> tuple[int, ...]:
    """A line's amount divided to its units; whole units, which add up to it."""
    return tuple(allocate(total, [1] * quantity))


def total(items: Sequence[int], shipping: int) -> int:
    return sum(items) + shipping
