"""An order's rows as the domain sees them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from services.order.domain.orders import Address, Line, Order, Payment
from services.order.domain.states import Reason, State

_NAMES = msgspec.json.Decoder(dict[str, str])
_ADDRESS = msgspec.json.Decoder(Address)


def order(row: Any, lines: Sequence[Any]) -> Order:
    return placed(row, tuple(line(each) for each in lines))


def placed(row: Any, lines: tuple[Line, ...]) -> Order:
    return Order(
        id=row["id"],
        number=row["number"],
        owner=row["owner"],
        guest=row["guest"],
        email=row["email"],
        lang=row["lang"],
        state=State(row["state"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        version=row["version"],
        currency=row["currency"],
        items=row["items"],
        shipping=row["shipping"],
        tax=row["tax"],
        address=_ADDRESS.decode(row["address"]),
        lines=lines,
        payment=Payment(
            state=row["payment_state"],
            authorised=row["authorised"],
            captured=row["captured"],
            refunded=row["refunded"],
            refund_pending=row["refund_pending"],
        ),
        hold_until=row["hold_until"],
        placed_at=row["placed_at"],
        updated_at=row["updated_at"],
    )


def line(row: Any) -> Line:
    return Line(
        position=row["position"],
        sku=row["sku"],
        variant=row["variant_id"],
        product=row["product_id"],
        slug=row["slug"],
        names=_NAMES.decode(row["names"]),
        option_names=_NAMES.decode(row["option_names"]),
        image=row["image"],
        quantity=row["quantity"],
        unit_price=row["unit_price"],
        vat_rate=row["vat_rate"],
        units=tuple(row["units"]),
        unit_taxes=tuple(row["unit_taxes"]),
    )
