"""Asks catalog what lines cost now."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common import header_names
from common.http_client import CallFailed, HttpClient
from services.chassis.errors import Unavailable
from services.order.application import ports
from services.order.application.ports import Quote, QuotedLine

TIMEOUT_S = 3.0
_NO_PRICES = "Prices cannot be had at the moment."


class _Line(msgspec.Struct, frozen=True):
    sku: str
    variant_id: UUID
    product_id: UUID
    slug: str
    name: dict[str, str]
    option_names: dict[str, str]
    image: str | None
    quantity: int
    unit_price: int
    compare_at_price: int | None
    vat_rate: int
    tax: int
    available: int
    availability: str

    def line(self) -> QuotedLine:
        return QuotedLine(
            sku=self.sku,
            variant=self.variant_id,
            product=self.product_id,
            slug=self.slug,
            names=self.name,
            option_names=self.option_names,
            image=self.image,
            quantity=self.quantity,
            unit_price=self.unit_price,
            compare_at_price=self.compare_at_price,
            vat_rate=self.vat_rate,
            tax=self.tax,
            available=self.available,
            availability=self.availability,
        )


class _Unavailable(msgspec.Struct, frozen=True):
    sku: str
    reason: str
    left: int
    name: dict[str, str] = {}
    image: str | None = None


class _Quote(msgspec.Struct, frozen=True):
    currency: str
    lines: list[_Line]
    unavailable: list[_Unavailable]
    total: int
    tax: int


class HttpQuotes:
    """`base`: catalog's URL. `currency`: the store's; prices in another one decide nothing here."""

    def __init__(self, client: HttpClient, base: str, *, internal_key: str, currency: str) -> None:
        self._client = client
        self._base = base
        self._internal_key = internal_key
        self._currency = currency

    async def quote(self, items: Sequence[tuple[str, int]], lang: str) -> Quote:
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in items]
        try:
            answer = await self._client.call(
                "POST",
                f"{self._base}/internal/quotes",
                timeout=TIMEOUT_S,
                headers={header_names.INTERNAL_KEY: self._internal_key, "Content-Type": "application/json"},
                body=msgspec.json.encode({"lines": lines, "lang": lang}),
            )
        except CallFailed as fault:
            raise Unavailable(_NO_PRICES) from fault
        if answer.status != 200:
            raise Unavailable(_NO_PRICES)
        quoted = msgspec.json.decode(answer.body, type=_Quote)
        if quoted.currency != self._currency or _sum(quoted) != (quoted.total, quoted.tax):
            raise Unavailable(_NO_PRICES)
        return Quote(
            currency=quoted.currency,
            lines=tuple(line.line() for line in quoted.lines),
            unavailable=tuple(
                ports.Unavailable(
                    sku=each.sku, reason=each.reason, left=each.left, names=each.name, image=each.image
                )
                for each in quoted.unavailable
            ),
            total=quoted.total,
            tax=quoted.tax,
        )


def _sum(quoted: _Quote) -> tuple[int, int]:
    """The order's own sums: an amount that its lines do not add up to is nobody's total."""
    return (
        sum(line.unit_price * line.quantity for line in quoted.lines),
        sum(line.tax for line in quoted.lines),
    )
