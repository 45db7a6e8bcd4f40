"""What the catalog API takes and gives, as its document shows it. Prices are in minor units of the store's currency."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from services.catalog.application.stock import StockTotals
from services.catalog.domain import values
from services.catalog.domain.categories import MAX_POSITION
from services.catalog.domain.products import (
    Category,
    Content,
    Image,
    Option,
    OptionValue,
    Product,
    Status,
    Texts,
    Variant,
    VatClass,
)

NO_ID = UUID(int=0)
"""Of a variant that is matched by its SKU, or is new."""

# Documented here, decided by the domain: it knows the form in which length counts.
Slug = Annotated[
    str, Meta(examples=["running-shoes"], extra_json_schema={"extra": {"max_length": values.MAX_SLUG}})
]
Sku = Annotated[str, Meta(max_length=64, examples=["SHOE-250"])]
Names = Annotated[
    dict[str, str],
    Meta(description="By language, `ko` and `en`.", examples=[{"ko": "운동화", "en": "Running shoes"}]),
]
Price = Annotated[
    int, Meta(ge=0, le=values.MAX_PRICE, description="In minor units, VAT included.", examples=[89000])
]


class TextsBody(msgspec.Struct, frozen=True):
    """A product's texts in one language."""

    name: str
    description: str = ""


class OptionValueBody(msgspec.Struct, frozen=True):
    """One choice of an option; `code` is what variants name it by."""

    code: str
    names: Names


class OptionBody(msgspec.Struct, frozen=True):
    """Something to choose, such as a size."""

    code: str
    names: Names
    values: list[OptionValueBody]

    @classmethod
    def of(cls, option: Option) -> "OptionBody":
        return cls(
            option.code,
            dict(option.names),
            [OptionValueBody(value.code, dict(value.names)) for value in option.values],
        )

    def option(self) -> Option:
        return Option(
            self.code, self.names, tuple(OptionValue(value.code, value.names) for value in self.values)
        )


class VariantBody(msgspec.Struct, frozen=True):
    """What is ordered. Known by its SKU: the same SKU stays the same variant, whatever else changes.

    `values` has one value's code for each option, in their order. One that is not `active` is not for sale and
    keeps its stock. `id` is given, never taken.
    """

    sku: Sku
    price: Price
    values: list[str] = []
    compare_at_price: Price | None = None
    vat_class: VatClass = VatClass.STANDARD
    weight_grams: Annotated[int, Meta(ge=1, le=10**7)] | None = None
    active: bool = True
    id: UUID | None = None

    @classmethod
    def of(cls, variant: Variant) -> "VariantBody":
        return cls(
            sku=variant.sku,
            price=variant.price,
            values=list(variant.values),
            compare_at_price=variant.compare_at_price,
            vat_class=variant.vat_class,
            weight_grams=variant.weight_grams,
            active=variant.active,
            id=variant.id,
        )

    def variant(self) -> Variant:
        return Variant(
            id=NO_ID,
            sku=self.sku,
            values=tuple(self.values),
            price=self.price,
            compare_at_price=self.compare_at_price,
            vat_class=self.vat_class,
            weight_grams=self.weight_grams,
            active=self.active,
        )


class ImageBody(msgspec.Struct, frozen=True):
    """A picture by the hash of its content, in its widths; `alt` is by language."""

    position: int
    hash: str
    width: int
    height: int
    widths: list[int]
    alt: dict[str, str]

    @classmethod
    def of(cls, image: Image) -> "ImageBody":
        return cls(image.position, image.hash, image.width, image.height, list(image.widths), dict(image.alt))


class ProductDocument(msgspec.Struct, frozen=True):
    """A product as those who keep it see it, in all languages. `version` is also the ETag."""

    id: UUID
    category: UUID
    slug: str
    brand: str
    status: Status
    texts: dict[str, TextsBody]
    keywords: list[str]
    options: list[OptionBody]
    variants: list[VariantBody]
    images: list[ImageBody]
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, product: Product) -> "ProductDocument":
        content = product.content
        return cls(
            id=product.id,
            category=content.category,
            slug=content.slug,
            brand=content.brand,
            status=content.status,
            texts={
                language: TextsBody(text.name, text.description) for language, text in content.texts.items()
            },
            keywords=list(content.keywords),
            options=[OptionBody.of(option) for option in content.options],
            variants=[VariantBody.of(variant) for variant in content.variants],
            images=[ImageBody.of(image) for image in product.images],
            created_at=product.created_at,
            updated_at=product.updated_at,
            version=product.version,
        )


class StockTotalsBody(msgspec.Struct, frozen=True):
    """Of the active variants: units available of all, and of how many variants there are none or few left."""

    available: int
    sold_out: int
    few_left: int


class ListedProduct(ProductDocument, frozen=True, kw_only=True):
    """A document in a list, with how much of it there was at that moment."""

    stock: StockTotalsBody

    @classmethod
    def listed(cls, product: Product, totals: StockTotals) -> "ListedProduct":
        stock = StockTotalsBody(totals.available, totals.sold_out, totals.few_left)
        document = ProductDocument.of(product)
        return cls(
            **{name: getattr(document, name) for name in document.__struct_fields__},
            stock=stock,
        )


class NewProduct(msgspec.Struct, frozen=True):
    """A whole product: to be made, or in place of one that is there (what is left out is then emptied)."""

    category: UUID
    slug: Slug
    texts: dict[str, TextsBody]
    variants: list[VariantBody]
    brand: str = ""
    status: Status = Status.DRAFT
    keywords: list[str] = []
    options: list[OptionBody] = []

    def content(self) -> Content:
        return Content(
            category=self.category,
            slug=self.slug,
            brand=self.brand,
            status=self.status,
            texts=_texts(self.texts),
            keywords=tuple(self.keywords),
            options=tuple(option.option() for option in self.options),
            variants=tuple(variant.variant() for variant in self.variants),
        )


class TextsPatch(msgspec.Struct, frozen=True):
    """Of one language: members left out stay, a null description empties it."""

    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET


class ProductPatch(msgspec.Struct, frozen=True):
    """A merge patch (RFC 7396): members left out stay, null empties, an array replaces the whole array.

    In `texts`, a language left out stays, and null takes it away.
    """

    category: UUID | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    brand: str | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    texts: dict[str, TextsPatch | None] | UnsetType = UNSET
    keywords: list[str] | UnsetType | None = UNSET
    options: list[OptionBody] | UnsetType | None = UNSET
    variants: list[VariantBody] | UnsetType = UNSET

    def apply(self, present: Content) -> Content:
        return Content(
            category=present.category if self.category is UNSET else self.category,
            slug=present.slug if self.slug is UNSET else self.slug,
            brand=present.brand if self.brand is UNSET else self.brand or "",
            status=present.status if self.status is UNSET else self.status,
            texts=present.texts if self.texts is UNSET else _merged(present.texts, self.texts),
            keywords=present.keywords if self.keywords is UNSET else tuple(self.keywords or ()),
            options=present.options
            if self.options is UNSET
            else tuple(option.option() for option in self.options or ()),
            variants=present.variants
            if self.variants is UNSET
            else tuple(variant.variant() for variant in self.variants),
        )


class CategoryDocument(msgspec.Struct, frozen=True):
    """A category as those who keep it see it. `version` is also the ETag."""

    id: UUID
    parent: UUID | None
    slug: str
    position: int
    names: dict[str, str]
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, category: Category) -> "CategoryDocument":
        return cls(
            category.id,
            category.parent,
            category.slug,
            category.position,
            dict(category.names),
            category.created_at,
            category.updated_at,
            category.version,
        )


Position = Annotated[
    int, Meta(ge=0, le=MAX_POSITION, description="Among its siblings; equal ones go by slug.")
]


class NewCategory(msgspec.Struct, frozen=True):
    """A whole category: to be made, or in place of one that is there."""

    slug: Slug
    names: Names
    parent: UUID | None = None
    position: Position = 0

    def apply(self, present: Category) -> Category:
        return replace(present, slug=self.slug, names=self.names, parent=self.parent, position=self.position)


class CategoryPatch(msgspec.Struct, frozen=True):
    """A merge patch (RFC 7396). A null `parent` moves it to the top; in `names`, null takes a language away."""

    slug: Slug | UnsetType = UNSET
    names: dict[str, str | None] | UnsetType = UNSET
    parent: UUID | UnsetType | None = UNSET
    position: Position | UnsetType = UNSET

    def apply(self, present: Category) -> Category:
        names = present.names
        if self.names is not UNSET:
            merged = {**present.names, **self.names}
            names = {language: name for language, name in merged.items() if name is not None}
        return replace(
            present,
            slug=present.slug if self.slug is UNSET else self.slug,
            names=names,
            parent=present.parent if self.parent is UNSET else self.parent,
            position=present.position if self.position is UNSET else self.position,
        )


def _texts(given: Mapping[str, TextsBody]) -> dict[str, Texts]:
    return {language: Texts(text.name, text.description) for language, text in given.items()}


def _merged(present: Mapping[str, Texts], patch: Mapping[str, TextsPatch | None]) -> dict[str, Texts]:
    merged = dict(present)
    for language, change in patch.items():
        if change is None:
            merged.pop(language, None)
            continue
        before = merged.get(language, Texts(""))
        merged[language] = Texts(
            before.name if change.name is UNSET else change.name,
            before.description if change.description is UNSET else change.description or "",
        )
    return merged
