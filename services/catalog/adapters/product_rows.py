"""Products as the database has them, in both directions."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from services.catalog.domain.products import (
    Content,
    Image,
    Option,
    Product,
    Status,
    Texts,
    Variant,
    VatClass,
)
from services.catalog.domain.search import index_grams, normal


class StockedVariant(msgspec.Struct, frozen=True):
    """A variant as the database puts it into JSON, with what can be sold of it."""

    id: UUID
    sku: str
    option_values: tuple[str, ...]
    price: int
    compare_at_price: int | None
    vat_class: VatClass
    weight_grams: int | None
    active: bool
    available: int

    def variant(self) -> Variant:
        return Variant(
            id=self.id,
            sku=self.sku,
            values=self.option_values,
            price=self.price,
            compare_at_price=self.compare_at_price,
            vat_class=self.vat_class,
            weight_grams=self.weight_grams,
            active=self.active,
        )


stocked_variants = msgspec.json.Decoder(tuple[StockedVariant, ...]).decode
images = msgspec.json.Decoder(tuple[Image, ...]).decode
_by_language = msgspec.json.Decoder(dict[str, str]).decode
_options = msgspec.json.Decoder(tuple[Option, ...]).decode

PRODUCT_COLUMNS = (
    "p.id, p.category_id, p.slug, p.brand, p.status, p.names, p.descriptions, p.keywords, p.options, "
    "p.created_at, p.updated_at, p.version"
)
VARIANT_COLUMNS = (
    "v.id, v.product_id, v.sku, v.option_values, v.price, v.compare_at_price, v.vat_class, v.weight_grams, "
    "v.active"
)
IMAGE_COLUMNS = "i.product_id, i.position, i.hash, i.alt, pic.width, pic.height, pic.widths"


def names(stored: str) -> dict[str, str]:
    return _by_language(stored)


def options(stored: str) -> tuple[Option, ...]:
    return _options(stored)


def image(row: Any) -> Image:
    return Image(
        row["position"],
        row["hash"],
        row["width"],
        row["height"],
        tuple(row["widths"]),
        _by_language(row["alt"]),
    )


def variant(row: Any) -> Variant:
    return Variant(
        id=row["id"],
        sku=row["sku"],
        values=tuple(row["option_values"]),
        price=row["price"],
        compare_at_price=row["compare_at_price"],
        vat_class=VatClass(row["vat_class"]),
        weight_grams=row["weight_grams"],
        active=row["active"],
    )


def product(row: Any, variants: Sequence[Variant], shown: Sequence[Image]) -> Product:
    descriptions = _by_language(row["descriptions"])
    content = Content(
        category=row["category_id"],
        slug=row["slug"],
        brand=row["brand"],
        status=Status(row["status"]),
        texts={
            language: Texts(name, descriptions.get(language, ""))
            for language, name in names(row["names"]).items()
        },
        keywords=tuple(row["keywords"]),
        options=options(row["options"]),
        variants=tuple(variants),
    )
    return Product(
        id=row["id"],
        content=content,
        images=tuple(shown),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


def columns(content: Content) -> Mapping[str, Any]:
    """The product's columns that follow from its content."""
    cheapest = content.cheapest
    searched = {
        "search_name": _searched(text.name for text in content.texts.values()),
        "search_brand": normal(content.brand),
        "search_keywords": _searched(content.keywords),
        "search_text": _searched(text.description for text in content.texts.values()),
    }
    return {
        "category_id": content.category,
        "slug": content.slug,
        "brand": content.brand,
        "status": content.status.value,
        "names": _json({language: text.name for language, text in content.texts.items()}),
        "descriptions": _json(
            {language: text.description for language, text in content.texts.items() if text.description}
        ),
        "keywords": list(content.keywords),
        "options": _json(content.options),
        "price": cheapest.price,
        "compare_at_price": cheapest.compare_at_price,
        **searched,
        "grams": sorted(index_grams(" ".join(searched.values()))),
    }


def _searched(texts: Any) -> str:
    return " ".join(normal(text) for text in texts)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
