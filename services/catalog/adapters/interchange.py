"""The files that `import` takes and `export` makes.

JSON lines: a product or a category each. CSV: a variant a row; the rows of one product stand together, and those after
the first may leave out what is the product's. A text that a spreadsheet would take for a formula has a `'` before it,
which reading takes away.
"""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec

from common.json_errors import UNREADABLE
from services.catalog.domain.categories import MAX_POSITION
from services.catalog.domain.products import Content, Option, Product, Status, Texts, Variant, VatClass

COLUMNS = (
    "slug", "category", "status", "brand", "keywords", "name_ko", "name_en", "description_ko", "description_en",
    "options", "sku", "values", "price", "compare_at_price", "vat_class", "weight_grams", "active",
    "on_hand",
)  # fmt: skip
NO_ID = UUID(int=0)
SEPARATOR = ";"
MAX_LINE = 1024 * 1024

_FORMULA = re.compile("'*[-=+@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a formula begins, also behind marks that it is a text (https://owasp.org/www-community/attacks/CSV_Injection)."""


class VariantRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """`on_hand`: what there is by a count made now; left out, stock stays as it is."""

    sku: str
    price: int
    values: list[str] = []
    compare_at_price: int | None = None
    vat_class: VatClass = VatClass.STANDARD
    weight_grams: int | None = None
    active: bool = True
    on_hand: int | None = None


class ProductRow(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="product"):
    """`category` is a slug."""

    slug: str
    category: str
    texts: dict[str, Texts]
    variants: list[VariantRow]
    brand: str = ""
    status: Status = Status.DRAFT
    keywords: list[str] = []
    options: tuple[Option, ...] = ()

    def content(self, category: UUID) -> Content:
        return Content(
            category=category,
            slug=self.slug,
            brand=self.brand,
            status=self.status,
            texts=self.texts,
            keywords=tuple(self.keywords),
            options=self.options,
            variants=tuple(
                Variant(
                    id=NO_ID,
                    sku=row.sku,
                    values=tuple(row.values),
                    price=row.price,
                    compare_at_price=row.compare_at_price,
                    vat_class=row.vat_class,
                    weight_grams=row.weight_grams,
                    active=row.active,
                )
                for row in self.variants
            ),
        )


class CategoryRow(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="category"):
    """`parent` is a slug; a parent comes before its children."""

    slug: str
    names: dict[str, str]
    parent: str | None = None
    position: Annotated[int, msgspec.Meta(ge=0, le=MAX_POSITION)] = 0


Row = ProductRow | CategoryRow


@dataclass(frozen=True, slots=True)
class Read:
    """One product or category of a file, or why there is none. `lines` has the line of each of its variants."""

    line: int
    row: Row | None
    fault: str = ""
    lines: tuple[int, ...] = field(default=())


_decode = msgspec.json.Decoder(Row).decode


def read(path: Path) -> Iterator[Read]:
    """What the file holds, in its order."""
    return _read_csv(path) if path.suffix == ".csv" else _read_lines(path)


def product_row(product: Product, category: str, on_hand: Mapping[UUID, int]) -> ProductRow:
    content = product.content
    return ProductRow(
        slug=content.slug,
        category=category,
        texts=dict(content.texts),
        brand=content.brand,
        status=content.status,
        keywords=list(content.keywords),
        options=content.options,
        variants=[
            VariantRow(
                sku=variant.sku,
                price=variant.price,
                values=list(variant.values),
                compare_at_price=variant.compare_at_price,
                vat_class=variant.vat_class,
                weight_grams=variant.weight_grams,
                active=variant.active,
                on_hand=on_hand.get(variant.id),
            )
            for variant in content.variants
        ],
    )


def csv_rows(row: ProductRow) -> list[dict[str, str]]:
    """A row for each variant, the product's own columns in all of them."""
    texts = {language: row.texts.get(language, Texts("")) for language in ("ko", "en")}
    own = {
        "slug": row.slug,
        "category": row.category,
        "status": row.status.value,
        "brand": _cell(row.brand),
        "keywords": SEPARATOR.join(map(_cell, row.keywords)),
        **{f"name_{language}": _cell(text.name) for language, text in texts.items()},
        **{f"description_{language}": _cell(text.description) for language, text in texts.items()},
        "options": msgspec.json.encode(row.options).decode() if row.options else "",
    }
    return [
        {
            **own,
            "sku": variant.sku,
            "values": SEPARATOR.join(variant.values),
            "price": str(variant.price),
            "compare_at_price": _optional(variant.compare_at_price),
            "vat_class": variant.vat_class.value,
            "weight_grams": _optional(variant.weight_grams),
            "active": "" if variant.active else "false",
            "on_hand": _optional(variant.on_hand),
        }
        for variant in row.variants
    ]


def _read_lines(path: Path) -> Iterator[Read]:
    with path.open("rb") as file:
        number = 0
        while text := file.readline(MAX_LINE + 1):
            number += 1
            if len(text) > MAX_LINE:
                while text and not text.endswith(b"\n"):
                    text = file.readline(MAX_LINE)
                yield Read(number, None, f"is longer than {MAX_LINE} bytes")
                continue
            if not text.strip():
                continue
            try:
                row = _decode(text)
            except UNREADABLE as fault:
                yield Read(number, None, str(fault))
                continue
            lines = tuple(number for _ in row.variants) if isinstance(row, ProductRow) else ()
            yield Read(number, row, lines=lines)


def _read_csv(path: Path) -> Iterator[Read]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            columns = set(reader.fieldnames or ())
        except (csv.Error, UnicodeDecodeError) as fault:
            yield Read(1, None, f"{fault}; nothing was read")
            return
        missing, unknown = {"slug", "sku", "price"} - columns, columns - set(COLUMNS)
        if missing or unknown:
            named = ", ".join(sorted(missing or unknown))
            yield Read(1, None, f"{'there is no column' if missing else 'unknown column'} {named}")
            return
        group: list[tuple[int, dict[str, str]]] = []
        try:
            for cells in reader:
                row = {name: (value or "").strip() for name, value in cells.items() if name is not None}
                if None in cells:
                    row["slug"] = row["slug"] or "?"
                    yield from _product(group)
                    group = []
                    yield Read(reader.line_num, None, "has more cells than there are columns")
                    continue
                if group and row["slug"] not in {"", group[0][1]["slug"]}:
                    yield from _product(group)
                    group = []
                group.append((reader.line_num, row))
        except (csv.Error, UnicodeDecodeError) as fault:
            # What is not read to its end must not be taken for a product that lost its variants.
            yield Read(reader.line_num, None, f"{fault}; nothing after it was read")
            return
        yield from _product(group)


def _product(group: list[tuple[int, dict[str, str]]]) -> Iterator[Read]:
    if not group:
        return
    line, first = group[0]
    try:
        document: dict[str, Any] = {
            "type": "product",
            "slug": first["slug"],
            "category": first.get("category", ""),
            "status": first.get("status") or "draft",
            "brand": _text(first.get("brand", "")),
            "keywords": list(map(_text, _listed(first.get("keywords", "")))),
            "texts": {
                language: {
                    "name": _text(name),
                    "description": _text(first.get(f"description_{language}", "")),
                }
                for language in ("ko", "en")
                if (name := first.get(f"name_{language}", ""))
            },
            "options": json.loads(first["options"]) if first.get("options") else [],
            "variants": [_variant(row) for _, row in group],
        }
        row = msgspec.convert(document, ProductRow, strict=False)
    except (msgspec.ValidationError, ValueError, RecursionError) as fault:
        yield Read(line, None, str(fault))
        return
    yield Read(line, row, lines=tuple(number for number, _ in group))


def _variant(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "sku": row["sku"],
        "price": row["price"],
        "values": _listed(row.get("values", "")),
        "vat_class": row.get("vat_class") or "standard",
        **{
            name: row[name]
            for name in ("compare_at_price", "weight_grams", "active", "on_hand")
            if row.get(name)
        },
    }


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(SEPARATOR) if part.strip()]


def _cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _text(cell: str) -> str:
    """What `_cell` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _optional(number: int | None) -> str:
    return "" if number is None else str(number)
