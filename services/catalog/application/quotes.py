"""What an order would cost now: one read, no promise."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.catalog.application.ports import Offer, Shop
from services.catalog.domain import pricing
from services.catalog.domain.pricing import Missing, VatRates, Wanted
from services.catalog.domain.stock import Availability, availability


@dataclass(frozen=True, slots=True)
class Priced:
    """A line that can be bought, or could be if there were enough. `vat_rate` is in basis points."""

    offer: Offer
    quantity: int
    vat_rate: int
    tax: int
    availability: Availability


@dataclass(frozen=True, slots=True)
class Unavailable:
    """`offer`: what it was, where it is known and not priced."""

    sku: str
    reason: Missing
    left: int
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    currency: str
    lines: tuple[Priced, ...]
    unavailable: tuple[Unavailable, ...]

    @property
    def total(self) -> int:
        return sum(line.offer.variant.price * line.quantity for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines)


@dataclass(frozen=True, slots=True)
class QuoteService:
    shop: Shop
    currency: str
    rates: VatRates
    few: int

    async def quote(self, lines: Sequence[Wanted]) -> Quote:
        wanted = pricing.summed(lines)
        offers = await self.shop.offers([line.sku for line in wanted])
        priced: list[Priced] = []
        unavailable: list[Unavailable] = []
        for line in wanted:
            offer = offers.get(line.sku)
            reason = pricing.missing(
                line.quantity,
                exists=offer is not None,
                for_sale=offer is not None and offer.for_sale,
                available=offer.available if offer else 0,
            )
            if reason is not None:
                left = offer.available if offer is not None and offer.for_sale else 0
                named = None if reason is Missing.TOO_FEW else offer
                unavailable.append(Unavailable(line.sku, reason, max(left, 0), named))
            if offer is not None and reason in {None, Missing.TOO_FEW}:
                priced.append(self._priced(offer, line.quantity))
        return Quote(self.currency, tuple(priced), tuple(unavailable))

    def _priced(self, offer: Offer, quantity: int) -> Priced:
        rate = self.rates.of(offer.variant.vat_class)
        tax = pricing.tax(offer.variant.price, quantity, rate)
        return Priced(offer, quantity, rate, tax, availability(offer.available, self.few))
