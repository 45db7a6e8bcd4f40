"""The shop's own screens: its first page, which is for anybody, and the checkout."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from services.bff.application.gathering import gather
from services.bff.application.sources import (
    AddressBook,
    Card,
    Cart,
    CatalogSource,
    Category,
    MemberProfile,
    MemberSource,
    Order,
    OrderSource,
)

T = TypeVar("T")

LOOKED_AT = 48
"""The newest products, among which the first page's are chosen."""
OFFERS = 4
ARRIVALS = 8
KEPT_FOR = 10.0
"""Seconds for which what is the same for everybody is not asked for again."""


class Aisle(msgspec.Struct, frozen=True):
    """A category with a product's picture."""

    slug: str
    name: str
    picture: Card | None


class Storefront(msgspec.Struct, frozen=True):
    """The shop's first page. What is named in `degraded` is null here. `offers` are cheaper than they were, the most
    first; `arrivals` are the newest of the others. `member` and `last_order` are null without an account."""

    categories: list[Aisle] | None
    offers: list[Card] | None
    arrivals: list[Card] | None
    member: MemberProfile | None
    last_order: Order | None
    degraded: list[str]


class Checkout(msgspec.Struct, frozen=True):
    """What an order is made of. A source that is named in `degraded` is null here; a guest has no `member`."""

    cart: Cart | None
    member: AddressBook | None
    degraded: list[str]


class Kept(Generic[T]):
    """The last answer to the same question, for `KEPT_FOR` seconds; a failure is not kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: dict[str, tuple[float, T]] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        known = self._answers.get(key)
        if known is not None and known[0] > self._clock():
            return known[1]
        answer = await ask()
        self._answers[key] = (self._clock() + KEPT_FOR, answer)
        return answer


class ShopScreens:
    """Raises CallerRefused where a source says that the caller's session has ended."""

    def __init__(self, members: MemberSource, catalog: CatalogSource, orders: OrderSource) -> None:
        self._members = members
        self._catalog = catalog
        self._orders = orders
        self._cards: Kept[list[Card]] = Kept()
        self._categories: Kept[list[Category]] = Kept()

    async def storefront(self, token: str | None, language: str, *, guest: bool) -> Storefront:
        """`token`: of the caller, if there is one. A `guest` is no member, and may have ordered."""
        sources: dict[str, Awaitable[object]] = {
            "products": self._cards.get(language, lambda: self._catalog.newest(language, LOOKED_AT)),
            "categories": self._categories.get(language, lambda: self._catalog.categories(language)),
        }
        if token is not None:
            sources["last_order"] = self._orders.latest(token)
        if token is not None and not guest:
            sources["member"] = self._members.own(token)
        parts = await gather(sources)
        cards: list[Card] | None = parts.found.pop("products")
        categories: list[Category] | None = parts.found["categories"]
        orders: list[Order] = parts.found.get("last_order") or []
        offers, arrivals = (None, None) if cards is None else chosen(cards)
        return Storefront(
            categories=None if categories is None else aisles(categories, cards or []),
            offers=offers,
            arrivals=arrivals,
            member=parts.found.get("member"),
            last_order=orders[0] if orders else None,
            degraded=sorted(
                name
                for missing in parts.missing
                for name in (("arrivals", "offers") if missing == "products" else (missing,))
            ),
        )

    async def checkout(self, token: str, language: str, *, guest: bool) -> Checkout:
        sources: dict[str, Awaitable[object]] = {"cart": self._orders.cart(token, language)}
        if not guest:
            sources["member"] = self._members.book(token)
        parts = await gather(sources)
        return Checkout(cart=parts.found["cart"], member=parts.found.get("member"), degraded=parts.missing)


def chosen(cards: Sequence[Card]) -> tuple[list[Card], list[Card]]:
    """What is offered, and what is new: no product twice."""

    def off(card: Card) -> float:
        return 1 - card.price / card.compare_at_price if card.compare_at_price else 0.0

    offers = sorted((card for card in cards if off(card) > 0), key=off, reverse=True)[:OFFERS]
    offered = {card.id for card in offers}
    return offers, [card for card in cards if card.id not in offered][:ARRIVALS]


def aisles(categories: Sequence[Category], cards: Sequence[Card]) -> list[Aisle]:
    """Each category with a product of its own that has a picture, where there is one."""
    pictures: dict[object, Card] = {}
    for card in cards:
        if card.image is not None:
            pictures.setdefault(card.category, card)
    return [Aisle(each.slug, each.name, pictures.get(each.id)) for each in categories]
