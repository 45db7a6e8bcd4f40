"""How much of a variant there is, how much of it is promised, and what a shopper is told of it. Pure."""

from dataclasses import dataclass
from enum import Enum


class Availability(Enum):
    IN_STOCK = "in_stock"
    FEW_LEFT = "few_left"
    SOLD_OUT = "sold_out"


@dataclass(frozen=True, slots=True)
class Stock:
    """`on_hand` is in the warehouse, `reserved` of it is promised to orders: 0 <= reserved <= on_hand."""

    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """What can still be sold. The database computes the same in `stock.available`, for filters."""
        return self.on_hand - self.reserved


def availability(available: int, few: int) -> Availability:
    """What a shopper is told; `few` or fewer are "few left". The one rule of it, for lists, pages and quotes."""
    if available <= 0:
        return Availability.SOLD_OUT
    return Availability.FEW_LEFT if available <= few else Availability.IN_STOCK
