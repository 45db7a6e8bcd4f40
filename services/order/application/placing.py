"""Placing an order: once, for exactly what the shopper saw."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from common.money import chargeable
from services.order.application.carting import CartService, ShownCart
from services.order.application.ports import Carts, Messages, NewOrder, Orders, QuotedLine
from services.order.domain import addresses, sums
from services.order.domain.carts import Cart
from services.order.domain.errors import CartChanged, CartOrdered, EmptyCart, NothingToPay
from services.order.domain.orders import Address, Line, Occurrence, Order
from services.order.domain.transitions import FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the shopper sends. `cart_version` and `expected_total` say what was seen."""

    owner: UUID
    guest: bool
    cart_version: int
    expected_total: int
    address: Address
    email: str
    lang: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementService:
    """`hold`: for how long an order may stay unpaid."""

    orders: Orders
    carts: Carts
    carting: CartService
    messages: Messages
    hold: timedelta
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]

    async def prepared(self, wish: Wish) -> NewOrder:
        """The order as it would be, at today's prices. Outside of any transaction: catalog is asked.

        Raises InvalidOrder, EmptyCart, CartOrdered, CartChanged with the cart as it is now, NothingToPay.
        """
        address, email = addresses.checked(wish.address, wish.email, self.carting.rates.countries)
        cart = await self._cart(wish)
        shown = await self.carting.shown(cart, wish.lang)
        if shown.quote.unavailable or shown.total != wish.expected_total:
            raise CartChanged(shown)
        if not chargeable(shown.total, shown.quote.currency):
            raise NothingToPay
        return self._order(wish, address, email, cart, shown)

    async def place(self, order: NewOrder, cart_version: int) -> Order:
        """In the transaction at hand: the order, its cart closed, and the messages, or none of it.

        Raises CartOrdered where somebody was faster with the same cart, CartChanged where it changed meanwhile.
        """
        if not await self.carts.close(order.cart, cart_version, order.id, order.placed_at):
            raise await self._lost(order.owner, cart_version)
        first = Occurrence(at=order.placed_at, event="placed", state=FIRST.state.value, actor="", note="")
        placed = await self.orders.add(order, first)
        await self.messages.send(order.id, FIRST.commands, placed)
        return placed

    async def _cart(self, wish: Wish) -> Cart:
        cart = await self.carts.find(wish.owner)
        if cart is None or cart.version != wish.cart_version:
            if (order := await self.carts.ordered(wish.owner, wish.cart_version)) is not None:
                raise CartOrdered(order)
            if cart is not None and cart.items:
                raise CartChanged(await self.carting.shown(cart, wish.lang))
        if cart is None or not cart.items:
            raise EmptyCart
        return cart

    async def _lost(self, owner: UUID, cart_version: int) -> Exception:
        order = await self.carts.ordered(owner, cart_version)
        return CartChanged(None) if order is None else CartOrdered(order)

    def _order(self, wish: Wish, address: Address, email: str, cart: Cart, shown: ShownCart) -> NewOrder:
        now = self.clock()
        return NewOrder(
            id=self.new_id(),
            owner=wish.owner,
            guest=wish.guest,
            email=email,
            lang=wish.lang,
            currency=shown.quote.currency,
            items=shown.quote.total,
            shipping=shown.shipping,
            tax=shown.tax,
            address=address,
            lines=tuple(_line(position, line) for position, line in enumerate(shown.quote.lines, 1)),
            cart=cart.id,
            hold_until=now + self.hold,
            placed_at=now,
        )


def _line(position: int, quoted: QuotedLine) -> Line:
    return Line(
        position=position,
        sku=quoted.sku,
        variant=quoted.variant,
        product=quoted.product,
        slug=quoted.slug,
        names=quoted.names,
        option_names=quoted.option_names,
        image=quoted.image,
        quantity=quoted.quantity,
        unit_price=quoted.unit_price,
        vat_rate=quoted.vat_rate,
        units=sums.units(quoted.unit_price * quoted.quantity, quoted.quantity),
        unit_taxes=sums.units(quoted.tax, quoted.quantity),
    )
