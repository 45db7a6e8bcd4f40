"""Orders and lines for tests."""

from uuid import UUID

from common.money import tax_within
from services.order.domain import sums
from services.order.domain.orders import Line


def line(position: int, quantity: int, unit_price: int, vat_rate: int) -> Line:
    total = unit_price * quantity
    return Line(
        position=position,
        sku=f"SKU-{position}",
        variant=UUID(int=position),
        product=UUID(int=position),
        slug=f"sku-{position}",
        names={"ko": "신발", "en": "Shoes"},
        option_names={},
        image=None,
        quantity=quantity,
        unit_price=unit_price,
        vat_rate=vat_rate,
        units=sums.units(total, quantity),
        unit_taxes=sums.units(tax_within(total, vat_rate), quantity),
    )
