"""What the shop sells: categories, products and their variants. Every value is in its normal form (values.py)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

LANGUAGES = ("ko", "en")
"""The shop's languages; the first is the one that texts fall back to."""


class Status(Enum):
    DRAFT = "draft"
    """Seen by administrators alone."""
    ACTIVE = "active"
    ARCHIVED = "archived"
    """No longer sold, kept for those who look back at it."""


class VatClass(Enum):
    """Which of the store's VAT rates a price includes."""

    STANDARD = "standard"
    REDUCED = "reduced"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Texts:
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class OptionValue:
    """`code` is what variants name it by; `names` is by language."""

    code: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose, such as a size."""

    code: str
    names: Mapping[str, str]
    values: tuple[OptionValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is ordered. `values` has one value's code for each option of the product, in their order.

    Prices are in minor units of the store's currency and include VAT. `id` stays the same for as long as the SKU is
    the product's. One that is not `active` is not for sale, and keeps its stock.
    """

    id: UUID
    sku: str
    values: tuple[str, ...] = ()
    price: int
    compare_at_price: int | None = None
    vat_class: VatClass = VatClass.STANDARD
    weight_grams: int | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by the hash of its content, with its largest size. `alt` is by language."""

    position: int
    hash: str
    width: int
    height: int
    widths: tuple[int, ...]
    alt: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What may be changed of a product. `texts` is by language."""

    category: UUID
    slug: str
    brand: str = ""
    status: Status = Status.DRAFT
    texts: Mapping[str, Texts]
    keywords: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    variants: tuple[Variant, ...]

    @property
    def cheapest(self) -> Variant:
        """Whose prices lists show and sort by: one that is for sale, where there is one."""
        return min(self.variants, key=lambda variant: (not variant.active, variant.price))


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`version` counts changes from 1. Stock is no part of it: it changes with every order."""

    id: UUID
    content: Content
    images: tuple[Image, ...] = ()
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def changed(self, content: Content, now: datetime) -> "Product":
        return replace(self, content=content, updated_at=now, version=self.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A node of the tree; `parent` is None for one at the top. Siblings are shown by `position`, then slug."""

    id: UUID
    parent: UUID | None
    slug: str
    position: int
    names: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    version: int = 1


def localised(by_language: Mapping[str, str], language: str) -> str:
    """The text in `language`, else in the first of the shop's languages that has one."""
    for tried in (language, *LANGUAGES):
        if text := by_language.get(tried):
            return text
    return next(iter(by_language.values()), "")


def option_names(
    options: Sequence[Option], values: Sequence[str], languages: Iterable[str]
) -> dict[str, str]:
    """ "Blue / 250", what a variant's values are called, in each of `languages`; empty without options."""
    if not options:
        return {}
    chosen = [
        next((value.names for value in option.values if value.code == code), {})
        for option, code in zip(options, values, strict=False)
    ]
    return {language: " / ".join(localised(names, language) for names in chosen) for language in languages}
