"""The use cases of a cart: shown at today's prices, changed, and merged when a guest signs in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.order.application.ports import Carts, Quote, Quotes, UnitOfWork
from services.order.domain import carts
from services.order.domain.carts import Cart, Item, PriceChange
from services.order.domain.errors import UnknownItem
from services.order.domain.sums import ShippingRates

NOT_FOR_SALE = frozenset(("unknown", "not_sold"))
"""Why nobody can have any of it; what is sold out may come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCart:
    """A cart with what it costs now. `version` is 0 for one that nobody has put anything into."""

    cart: Cart | None
    quote: Quote
    shipping: int
    tax: int
    changes: tuple[PriceChange, ...]
    free_from: int | None
    """From what the items come to on, shipping is free; None: never."""
    countries: tuple[str, ...]
    """Where the shop sends to, the usual one first."""

    @property
    def version(self) -> int:
        return self.cart.version if self.cart else 0

    @property
    def total(self) -> int:
        return self.quote.total + self.shipping


@dataclass(frozen=True, slots=True, kw_only=True)
class CartService:
    carts: Carts
    quotes: Quotes
    work: UnitOfWork
    rates: ShippingRates
    currency: str
    clock: Callable[[], datetime]

    async def show(self, owner: UUID, lang: str) -> ShownCart:
        """Raises Unavailable where catalog gives no prices."""
        return await self.shown(await self.carts.find(owner), lang)

    async def shown(self, cart: Cart | None, lang: str) -> ShownCart:
        """A cart with its quote; never inside a transaction."""
        if cart is None or not cart.items:
            return ShownCart(
                cart=cart,
                quote=Quote(currency=self.currency),
                shipping=0,
                tax=0,
                changes=(),
                free_from=self.rates.free_from,
                countries=self.rates.countries,
            )
        return self._shown(
            cart, await self.quotes.quote([(item.sku, item.quantity) for item in cart.items], lang)
        )

    def _shown(self, cart: Cart, quote: Quote) -> ShownCart:
        shipping = self.rates.of(quote.total) if quote.lines else 0
        prices = {line.sku: line.unit_price for line in quote.lines}
        return ShownCart(
            cart=cart,
            quote=quote,
            shipping=shipping,
            tax=quote.tax + self.rates.tax(shipping),
            changes=carts.price_changes(cart.items, prices),
            free_from=self.rates.free_from,
            countries=self.rates.countries,
        )

    async def put(self, owner: UUID, sku: str, quantity: int, lang: str) -> ShownCart:
        """The cart has so many of it then; the answer's prices are what the shopper has seen. Raises CartFull,
        UnknownItem for what the shop does not sell."""
        before = await self.carts.find(owner)
        items = carts.with_item(before.items if before else (), Item(sku, quantity, None))
        # The whole cart as it will be, in one question; it is asked again only where the cart changes meanwhile.
        quote = await self.quotes.quote([(item.sku, item.quantity) for item in items], lang)
        if any(line.sku == sku and line.reason in NOT_FOR_SALE for line in quote.unavailable):
            raise UnknownItem
        price = next((line.unit_price for line in quote.lines if line.sku == sku), None)
        item = Item(sku, quantity, price)
        items = carts.with_item(before.items if before else (), item)
        cart = await self.carts.replace(owner, before, items, self.clock())
        if cart is not None:
            return self._shown(cart, quote)
        return await self._change(owner, lambda present: carts.with_item(present, item), lang)

    async def again(
        self, owner: UUID, ordered: Sequence[tuple[str, int]], lang: str
    ) -> tuple[ShownCart, Sequence[str]]:
        """The cart has at least that much of each then, so that repeating is harmless and nothing is taken out; and the
        SKUs that stay out, since the shop does not sell them. Raises CartFull."""
        quote = await self.quotes.quote(ordered, lang)
        left_out = [line.sku for line in quote.unavailable if line.reason in NOT_FOR_SALE]
        prices = {line.sku: line.unit_price for line in quote.lines}
        wanted = [Item(sku, quantity, prices.get(sku)) for sku, quantity in ordered if sku not in left_out]
        if not wanted:
            return await self.show(owner, lang), left_out
        shown = await self._change(owner, lambda present: carts.with_at_least(present, wanted), lang)
        return shown, left_out

    async def remove(self, owner: UUID, sku: str, lang: str) -> ShownCart:
        """Raises UnknownItem."""

        def changed(items: Sequence[Item]) -> Sequence[Item]:
            if all(item.sku != sku for item in items):
                raise UnknownItem
            return [item for item in items if item.sku != sku]

        return await self._change(owner, changed, lang)

    async def merge(self, member: UUID, guest: UUID, lang: str) -> ShownCart:
        """Once: the guest's cart is closed in the same transaction. Repeating it changes nothing. Raises CartFull."""
        async with self.work.transaction():
            now = self.clock()
            own = await self.carts.locked(member)
            theirs = await self.carts.locked(guest)
            if theirs is not None and theirs.items:
                items = carts.merged(own.items if own else (), theirs.items)
                await self.carts.close(theirs.id, theirs.version, None, now)
                own = await self.carts.write(member, items, now)
        return await self.shown(own, lang)

    async def _change(
        self, owner: UUID, changed: Callable[[Sequence[Item]], Sequence[Item]], lang: str
    ) -> ShownCart:
        async with self.work.transaction():
            before = await self.carts.locked(owner)
            items = changed(before.items if before else ())
            if before is not None and items is before.items:
                cart = before
            else:
                cart = await self.carts.write(owner, items, self.clock())
        return await self.shown(cart, lang)
