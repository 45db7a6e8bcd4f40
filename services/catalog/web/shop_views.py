"""How products are shown to visitors: one language, the store's currency, availability in a word."""

from datetime import datetime
from enum import Enum
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from services.catalog.application.browsing import Summary
from services.catalog.application.ports import Card, Shown
from services.catalog.domain.categories import Node, Tree
from services.catalog.domain.products import Category, Image, localised
from services.catalog.domain.stock import Availability, availability


class Language(Enum):
    KO = "ko"
    EN = "en"


Lang = Annotated[
    Language, QueryParameter(name="lang", description="Of texts; falls back to the other language.")
]


class StoreView(msgspec.Struct, frozen=True):
    """What the store's settings say of how products are shown."""

    currency: str
    few_left: int
    bands: tuple[int, ...]


class ImageView(msgspec.Struct, frozen=True):
    """`/media/{hash}-{width}.webp` is the picture in one of its `widths`; `width` and `height` are the largest's."""

    hash: str
    width: int
    height: int
    widths: list[int]
    alt: str

    @classmethod
    def of(cls, image: Image, name: str, language: str) -> "ImageView":
        alt = localised(image.alt, language) or name
        return cls(image.hash, image.width, image.height, list(image.widths), alt)


class CardView(msgspec.Struct, frozen=True):
    """A product in a list. `price` is that of its cheapest variant, in minor units of `currency`, VAT included."""

    id: UUID
    slug: str
    name: str
    brand: str
    category: UUID
    price: int
    compare_at_price: int | None
    currency: str
    availability: Availability
    image: ImageView | None


class CategoryCount(msgspec.Struct, frozen=True):
    """A category with products in it or below it that fit the other filters."""

    slug: str
    name: str
    parent: str | None
    count: int


class BandCount(msgspec.Struct, frozen=True):
    """Prices from `min_price` to `max_price`, both inclusive; null is without a bound."""

    min_price: int | None
    max_price: int | None
    count: int


class Facets(msgspec.Struct, frozen=True):
    """`total` counts what the whole list holds. Counts may be some seconds old."""

    total: int
    categories: list[CategoryCount]
    prices: list[BandCount]


class ProductList(msgspec.Struct, frozen=True):
    """`facets` come with the first page; `next_cursor` is null on the last one."""

    items: list[CardView]
    next_cursor: str | None
    facets: Facets | None


class Choice(msgspec.Struct, frozen=True):
    """One value of an option."""

    code: str
    name: str


class OptionView(msgspec.Struct, frozen=True):
    code: str
    name: str
    values: list[Choice]


class VariantView(msgspec.Struct, frozen=True):
    """`values` has one value's code for each option, in their order."""

    id: UUID
    sku: str
    values: list[str]
    price: int
    compare_at_price: int | None
    availability: Availability


class CategoryLink(msgspec.Struct, frozen=True):
    slug: str
    name: str


class ProductPage(msgspec.Struct, frozen=True):
    """All that a product's page shows. `categories` leads from the top of the tree to the product's own."""

    id: UUID
    slug: str
    name: str
    description: str
    brand: str
    categories: list[CategoryLink]
    currency: str
    price: int
    compare_at_price: int | None
    availability: Availability
    options: list[OptionView]
    variants: list[VariantView]
    images: list[ImageView]
    updated_at: datetime


class Suggestion(msgspec.Struct, frozen=True):
    slug: str
    name: str
    brand: str


class Suggestions(msgspec.Struct, frozen=True):
    items: list[Suggestion]


class CategoryView(msgspec.Struct, frozen=True):
    id: UUID
    slug: str
    name: str
    children: list["CategoryView"]


class CategoryTree(msgspec.Struct, frozen=True):
    items: list[CategoryView]


def card_view(card: Card, view: StoreView, language: str) -> CardView:
    name = localised(card.names, language)
    return CardView(
        id=card.id,
        slug=card.slug,
        name=name,
        brand=card.brand,
        category=card.category,
        price=card.price,
        compare_at_price=card.compare_at_price,
        currency=view.currency,
        availability=availability(card.available, view.few_left),
        image=ImageView.of(card.image, name, language) if card.image else None,
    )


def facets_view(summary: Summary, tree: Tree, view: StoreView, language: str) -> Facets:
    found = [known for id_ in summary.categories if (known := tree.get(id_)) is not None]
    return Facets(
        summary.total,
        [
            CategoryCount(
                category.slug,
                localised(category.names, language),
                parent.slug if category.parent and (parent := tree.get(category.parent)) else None,
                summary.categories[category.id],
            )
            for category in sorted(found, key=lambda each: (each.position, each.slug))
        ],
        [
            BandCount(
                view.bands[index - 1] if index else None,
                view.bands[index] - 1 if index < len(view.bands) else None,
                summary.bands[index],
            )
            for index in sorted(summary.bands)
        ],
    )


def page_view(shown: Shown, path: list[Category], view: StoreView, language: str) -> ProductPage:
    product = shown.product
    content = product.content
    name = localised({key: text.name for key, text in content.texts.items()}, language)
    cheapest = content.cheapest
    return ProductPage(
        id=product.id,
        slug=content.slug,
        name=name,
        description=localised({key: text.description for key, text in content.texts.items()}, language),
        brand=content.brand,
        categories=[CategoryLink(each.slug, localised(each.names, language)) for each in path],
        currency=view.currency,
        price=cheapest.price,
        compare_at_price=cheapest.compare_at_price,
        availability=availability(max(shown.available.values(), default=0), view.few_left),
        options=[
            OptionView(
                option.code,
                localised(option.names, language),
                [Choice(value.code, localised(value.names, language)) for value in option.values],
            )
            for option in content.options
        ],
        variants=[
            VariantView(
                id=variant.id,
                sku=variant.sku,
                values=list(variant.values),
                price=variant.price,
                compare_at_price=variant.compare_at_price,
                availability=availability(shown.available.get(variant.id, 0), view.few_left),
            )
            for variant in content.variants
        ],
        images=[ImageView.of(image, name, language) for image in product.images],
        updated_at=product.updated_at,
    )


def category_view(node: Node, language: str) -> CategoryView:
    return CategoryView(
        node.category.id,
        node.category.slug,
        localised(node.category.names, language),
        [category_view(child, language) for child in node.children],
    )
