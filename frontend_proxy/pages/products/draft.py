"""A product as its form has it: of a stored document, of a sent form, and as the change that the catalog is asked for.

Everything is text, as typed. Pure.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from frontend_proxy.pages import amounts
from frontend_proxy.pages.forms import Form

LANGUAGES = ("ko", "en")
STATUSES = ("draft", "active", "archived")
VAT_CLASSES = ("standard", "reduced", "zero")
MIXED = ""
"""The VAT class of a form whose variants have several: each keeps its own."""
MOST_OPTIONS = 5
MOST_VALUES = 50
MOST_VARIANTS = 100

_NO_CODE = re.compile(r"[^a-z0-9]+")
_GRAMS = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True)
class Named:
    """What has a name in each language, and a code by which variants name it; empty where it is new."""

    code: str
    names: Mapping[str, str]

    @property
    def blank(self) -> bool:
        return not any(self.names.values())


@dataclass(frozen=True)
class OptionDraft(Named):
    values: tuple[Named, ...] = ()

    @property
    def blank(self) -> bool:
        return super().blank and all(value.blank for value in self.values)


@dataclass(frozen=True)
class VariantDraft:
    """A row of the grid. One without SKU and price is a combination that there is not."""

    values: tuple[str, ...] = ()
    sku: str = ""
    price: str = ""
    before: str = ""
    active: bool = True
    vat: str = "standard"
    weight: str = ""

    @property
    def blank(self) -> bool:
        return not self.sku and not self.price


@dataclass(frozen=True)
class Draft:
    """`texts` has name and description by language."""

    status: str = "draft"
    category: str = ""
    slug: str = ""
    brand: str = ""
    keywords: str = ""
    vat: str = "standard"
    names: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(LANGUAGES, ""))
    descriptions: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(LANGUAGES, ""))
    options: tuple[OptionDraft, ...] = ()
    variants: tuple[VariantDraft, ...] = (VariantDraft(),)


@dataclass(frozen=True)
class Change:
    """`body`: what the catalog is asked for. `wrong`: fields of the form whose text is no value, with the key of the
    sentence. `places`: where in the form the body's options, values and variants stand."""

    body: dict[str, Any]
    wrong: dict[str, str]
    options: list[int]
    values: list[list[int]]
    rows: list[int]


def stored(product: Mapping[str, Any], currency: str) -> Draft:
    """The form of a document as the API gives it."""
    classes = {variant["vat_class"] for variant in product["variants"]}
    return Draft(
        status=product["status"],
        category=product["category"],
        slug=product["slug"],
        brand=product["brand"],
        keywords=", ".join(product["keywords"]),
        vat=classes.pop() if len(classes) == 1 else MIXED,
        names={language: _text(product, language, "name") for language in LANGUAGES},
        descriptions={language: _text(product, language, "description") for language in LANGUAGES},
        options=tuple(
            OptionDraft(
                option["code"],
                _names(option["names"]),
                tuple(Named(value["code"], _names(value["names"])) for value in option["values"]),
            )
            for option in product["options"]
        ),
        variants=tuple(
            VariantDraft(
                tuple(variant["values"]),
                variant["sku"],
                amounts.typed(variant["price"], currency),
                amounts.typed(variant["compare_at_price"], currency),
                variant["active"],
                variant["vat_class"],
                str(variant["weight_grams"] or ""),
            )
            for variant in product["variants"]
        ),
    )


def sent(form: Form) -> Draft:
    """The form as it was sent, with a code for each option and value that has none yet."""
    options = []
    for number in range(MOST_OPTIONS):
        values = tuple(
            Named(form.text(f"o{number}_v{place}_code"), _typed(form, f"o{number}_v{place}"))
            for place in range(MOST_VALUES)
            if f"o{number}_v{place}_ko" in form.fields
        )
        if f"o{number}_ko" in form.fields:
            options.append(
                OptionDraft(form.text(f"o{number}_code"), _typed(form, f"o{number}"), _coded(values, "value"))
            )
    vat = form.text("vat")
    return Draft(
        status=form.text("status"),
        category=form.text("category"),
        slug=form.text("slug") or slug_of(form.text("name_en")),
        brand=form.text("brand"),
        keywords=form.text("keywords"),
        vat=vat if vat in VAT_CLASSES else MIXED,
        names={language: form.text(f"name_{language}") for language in LANGUAGES},
        descriptions={
            language: "\n".join(form.text(f"description_{language}").splitlines()) for language in LANGUAGES
        },
        options=_coded(options, "option"),
        variants=tuple(
            VariantDraft(
                tuple(part for part in form.text(f"v{row}_values").split(",") if part),
                form.text(f"v{row}_sku"),
                form.text(f"v{row}_price"),
                form.text(f"v{row}_before"),
                form.checked(f"v{row}_active"),
                form.text(f"v{row}_vat") or "standard",
                form.text(f"v{row}_weight"),
            )
            for row in range(MOST_VARIANTS)
            if f"v{row}_sku" in form.fields
        )
        or (VariantDraft(),),
    )


def change(draft: Draft, currency: str) -> Change:
    """What the catalog is asked for: a merge patch that names everything, so that it makes a product as well."""
    wrong: dict[str, str] = {}
    options = [(place, option) for place, option in enumerate(draft.options) if not option.blank]
    values = [
        [place for place, value in enumerate(option.values) if not value.blank] for _, option in options
    ]
    rows = [(row, variant) for row, variant in enumerate(draft.variants) if not variant.blank]

    def amount(name: str, text: str) -> int:
        try:
            return amounts.parsed(text, currency)
        except ValueError:
            wrong[name] = "products.invalid_amount"
            return 0

    variants = []
    for row, variant in rows:
        if not variant.sku:
            wrong[f"v{row}_sku"] = "fields.required"
        made: dict[str, Any] = {
            "sku": variant.sku,
            "values": list(variant.values),
            "price": amount(f"v{row}_price", variant.price),
            "compare_at_price": amount(f"v{row}_before", variant.before) if variant.before else None,
            "vat_class": draft.vat or variant.vat,
            "active": variant.active,
        }
        if _GRAMS.fullmatch(variant.weight):
            made["weight_grams"] = int(variant.weight)
        variants.append(made)
    texts: dict[str, Any] = {}
    for language in LANGUAGES:
        name, description = draft.names[language], draft.descriptions[language]
        texts[language] = {"name": name, "description": description} if name or description else None
        if description and not name:
            wrong[f"name_{language}"] = "fields.required"
    for (place, _), of in zip(options, values, strict=True):
        if not of:
            wrong[f"o{place}_v0_ko"] = "fields.required"
    if not any(texts.values()):
        wrong["name_ko"] = "fields.required"
    if not draft.category:
        wrong["category"] = "fields.required"
    if not draft.slug:
        wrong["slug"] = "fields.required"
    if not variants:
        wrong["v0_price"] = "fields.required"
    body = {
        "status": draft.status,
        "category": draft.category,
        "slug": draft.slug,
        "brand": draft.brand,
        "keywords": _words(draft.keywords),
        "texts": texts,
        "options": [
            {
                "code": option.code,
                "names": _given(option.names),
                "values": [
                    {"code": option.values[place].code, "names": _given(option.values[place].names)}
                    for place in places
                ],
            }
            for (_, option), places in zip(options, values, strict=True)
        ],
        "variants": variants,
    }
    return Change(body, wrong, [place for place, _ in options], values, [row for row, _ in rows])


def field_of(path: str, change: Change) -> str:
    """The form's field for a path of the API, `variants.2.price`; the path itself where it has none."""
    head, *rest = path.split(".")
    try:
        if head == "texts":
            return f"{rest[1]}_{rest[0]}" if rest else "name_ko"
        if head == "keywords":
            return "keywords"
        if head == "variants" and rest:
            name = {"price": "price", "compare_at_price": "before"}.get(rest[1] if rest[1:] else "", "sku")
            return f"v{change.rows[int(rest[0])]}_{name}"
        if head == "options" and rest:
            option = int(rest[0])
            place = f"o{change.options[option]}"
            rest = rest[1:]
            if rest[:1] == ["values"] and rest[1:]:
                place, rest = f"{place}_v{change.values[option][int(rest[1])]}", rest[2:]
            return f"{place}_{rest[1]}" if rest[:1] == ["names"] and rest[1:] else f"{place}_ko"
    except (IndexError, ValueError):
        return path
    return path


def slug_of(text: str) -> str:
    """The part of an address that a name suggests; empty where it has no letters or digits of ASCII."""
    return _NO_CODE.sub("-", text.casefold()).strip("-")[:100].strip("-")


def title(product: Mapping[str, Any], language: str) -> str:
    """What a document's product is called, in the language where there is a name in it."""
    return _text(product, language, "name") or next(
        (name for each in LANGUAGES if (name := _text(product, each, "name"))), ""
    )


def value_names(draft: Draft, values: Iterable[str], language: str) -> str:
    """ "Black / 250", what the values of a row are called."""
    found = []
    for option, code in zip(draft.options, values, strict=False):
        names: Mapping[str, str] = next((value.names for value in option.values if value.code == code), {})
        found.append(names.get(language) or next((name for name in names.values() if name), code))
    return " / ".join(found)


N = TypeVar("N", bound=Named)


def _coded(items: Iterable[N], kind: str) -> tuple[N, ...]:
    """`items`, each with a code of its own: a new one's comes from its English name, else from `kind`."""
    items = tuple(items)
    taken = {item.code for item in items if item.code}
    made = []
    for item in items:
        code = item.code
        if not code and not item.blank:
            stem = slug_of(item.names["en"])[:24].strip("-") or kind
            code = next(code for code in _numbered(stem) if code not in taken)
            taken.add(code)
        made.append(replace(item, code=code))
    return tuple(made)


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    for number in itertools.count(2):
        yield f"{stem}-{number}"


def _words(text: str) -> list[str]:
    return [word.strip() for word in re.split(r"[,、，\n]", text) if word.strip()]


def _typed(form: Form, place: str) -> dict[str, str]:
    return {language: form.text(f"{place}_{language}") for language in LANGUAGES}


def _names(names: Mapping[str, str]) -> dict[str, str]:
    return {language: names.get(language, "") for language in LANGUAGES}


def _given(names: Mapping[str, str]) -> dict[str, str]:
    return {language: name for language, name in names.items() if name}


def _text(product: Mapping[str, Any], language: str, name: str) -> str:
    return str(product["texts"].get(language, {}).get(name, ""))
