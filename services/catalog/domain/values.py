"""The normal forms of a product's and a category's values; what cannot be brought into them is refused by field, all at
once."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from common import visible_text
from common.field_codes import InvalidValue
from common.money import LARGEST, charged_in, largest_charge
from services.catalog.domain.errors import InvalidProduct
from services.catalog.domain.products import LANGUAGES, Content, Option, OptionValue, Status, Texts, Variant

MAX_NAME = 200
MAX_DESCRIPTION = 10_000
MAX_SLUG = 100
MAX_BRAND = 80
MAX_KEYWORDS = 20
MAX_OPTIONS = 5
MAX_OPTION_VALUES = 50
MAX_VARIANTS = 100
MAX_PRICE = LARGEST // 10**6
"""Of one unit: an order's total stays far below the largest amount."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_RESERVED_SLUGS = frozenset({"suggestions", "documents"})
"""Have addresses of their own below /api/products."""

T = TypeVar("T")


def slug(text: str) -> str:
    """The part of an address that names a product or category. Raises InvalidValue."""
    if not _SLUG.fullmatch(text) or _UUID.fullmatch(text) or text in _RESERVED_SLUGS:
        raise InvalidValue("invalid_slug")
    if len(text) > MAX_SLUG:
        raise InvalidValue("too_long", max=MAX_SLUG)
    return text


def is_id(text: str) -> bool:
    """Whether it is the spelling of a product's id, which no slug is."""
    return _UUID.fullmatch(text) is not None


def may_be_slug(text: str) -> bool:
    """Whether anything could have this address: what could not is looked for nowhere."""
    return len(text) <= MAX_SLUG and _SLUG.fullmatch(text) is not None


def sku(text: str) -> str:
    """Raises InvalidValue. Upper and lower case differ: other systems know the SKU as it is."""
    if not _SKU.fullmatch(text):
        raise InvalidValue("invalid_sku")
    return text


def content(given: Content, currency: str, present: Content | None = None) -> Content:
    """`given` with every value in its normal form; `currency` is the store's. Raises InvalidProduct, which names every
    wrong field. A price that stays what it is in `present` is not judged again: nothing else could be changed."""
    faults = Faults()
    prices = {variant.sku: variant.price for variant in present.variants} if present else {}
    options = tuple(
        _option(faults, f"options.{index}", option)
        for index, option in enumerate(_bounded(faults, "options", given.options, MAX_OPTIONS))
    )
    faults.unique("options", (option.code for option in options))
    if not given.variants:
        faults.found["variants"] = InvalidValue("too_few", min=1)
    variants = tuple(
        _variant(
            faults,
            f"variants.{index}",
            variant,
            options,
            None if variant.price == prices.get(variant.sku) else currency,
        )
        for index, variant in enumerate(_bounded(faults, "variants", given.variants, MAX_VARIANTS))
    )
    faults.unique("variants", (variant.sku for variant in variants))
    faults.unique("variants", (variant.values for variant in variants))
    if given.status is Status.ACTIVE and given.variants and not any(each.active for each in given.variants):
        faults.found["variants"] = InvalidValue("none_active")
    normal = Content(
        category=given.category,
        slug=faults.check("slug", slug, given.slug),
        brand="" if visible_text.is_blank(given.brand) else faults.line("brand", given.brand, MAX_BRAND),
        status=given.status,
        texts=texts(faults, given.texts),
        keywords=tuple(
            dict.fromkeys(
                faults.line(f"keywords.{index}", keyword, MAX_BRAND)
                for index, keyword in enumerate(_bounded(faults, "keywords", given.keywords, MAX_KEYWORDS))
            )
        ),
        options=options,
        variants=variants,
    )
    faults.raise_if_any()
    return normal


def texts(faults: "Faults", given: Mapping[str, Texts]) -> Mapping[str, Texts]:
    """Names and descriptions by language; one language is enough, the others fall back to it."""
    if not given:
        faults.found["texts"] = InvalidValue("missing_language")
    _languages(faults, "texts", given)
    return {
        language: Texts(
            faults.line(f"texts.{language}.name", given[language].name, MAX_NAME),
            faults.check(
                f"texts.{language}.description",
                lambda text: visible_text.paragraphs(text, MAX_DESCRIPTION),
                given[language].description,
            ),
        )
        for language in LANGUAGES
        if language in given
    }


def names(faults: "Faults", at: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """One line by language."""
    if not given:
        faults.found[at] = InvalidValue("missing_language")
    _languages(faults, at, given)
    return {
        language: faults.line(f"{at}.{language}", given[language], MAX_NAME)
        for language in LANGUAGES
        if language in given
    }


class Faults:
    """Collects what is wrong, so that a form learns of all its fields in one answer."""

    def __init__(self) -> None:
        self.found: dict[str, InvalidValue] = {}

    def check(self, field: str, normal: Callable[[str], str], value: str) -> str:
        try:
            return normal(value)
        except InvalidValue as fault:
            self.found[field] = fault
            return value

    def line(self, field: str, value: str, longest: int) -> str:
        return self.check(field, lambda text: visible_text.line(text, longest), value)

    def unique(self, field: str, values: Iterable[object]) -> None:
        seen: set[object] = set()
        for index, value in enumerate(values):
            if value in seen:
                self.found.setdefault(f"{field}.{index}", InvalidValue("duplicate"))
            seen.add(value)

    def raise_if_any(self) -> None:
        """Raises InvalidProduct."""
        if self.found:
            raise InvalidProduct(self.found)


def _option(faults: Faults, at: str, option: Option) -> Option:
    values = tuple(
        OptionValue(
            faults.check(f"{at}.values.{index}.code", _code, value.code),
            names(faults, f"{at}.values.{index}.names", value.names),
        )
        for index, value in enumerate(_bounded(faults, f"{at}.values", option.values, MAX_OPTION_VALUES))
    )
    if not values:
        faults.found[f"{at}.values"] = InvalidValue("too_few", min=1)
    faults.unique(f"{at}.values", (value.code for value in values))
    code = faults.check(f"{at}.code", _code, option.code)
    return Option(code, names(faults, f"{at}.names", option.names), values)


def _variant(
    faults: Faults, at: str, variant: Variant, options: Sequence[Option], currency: str | None
) -> Variant:
    """`currency`: None where the price is not judged."""
    faults.check(f"{at}.sku", sku, variant.sku)
    allowed = [{value.code for value in option.values} for option in options]
    chosen = variant.values
    if len(chosen) != len(allowed) or any(
        code not in codes for code, codes in zip(chosen, allowed, strict=True)
    ):
        faults.found[f"{at}.values"] = InvalidValue("unknown_option_value")
    _amount(faults, f"{at}.price", variant.price)
    if currency is not None:
        # The smallest sum is no bound of a price: several of them, or the shipping, make one that can be charged.
        step, most = charged_in(currency), largest_charge(currency)
        if variant.price > most:
            faults.found.setdefault(f"{at}.price", InvalidValue("too_much_to_charge", max=most))
        elif variant.price % step:
            faults.found.setdefault(f"{at}.price", InvalidValue("not_chargeable", step=step))
    if variant.compare_at_price is not None:
        _amount(faults, f"{at}.compare_at_price", variant.compare_at_price)
        if variant.compare_at_price <= variant.price:
            faults.found.setdefault(f"{at}.compare_at_price", InvalidValue("not_above_price"))
    if variant.weight_grams is not None and not 1 <= variant.weight_grams <= 10**7:
        faults.found[f"{at}.weight_grams"] = (
            InvalidValue("too_small", min=1)
            if variant.weight_grams < 1
            else InvalidValue("too_large", max=10**7)
        )
    return variant


def _amount(faults: Faults, at: str, amount: int) -> None:
    if amount < 0:
        faults.found[at] = InvalidValue("too_small", min=0)
    elif amount > MAX_PRICE:
        faults.found[at] = InvalidValue("too_large", max=MAX_PRICE)


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise InvalidValue("invalid_code")
    return text


def _languages(faults: Faults, at: str, given: Mapping[str, object]) -> None:
    for language in given:
        if language not in LANGUAGES:
            faults.found[f"{at}.{language}"] = InvalidValue("not_allowed")


def _bounded(faults: Faults, at: str, values: Sequence[T], most: int) -> Sequence[T]:
    if len(values) > most:
        faults.found[at] = InvalidValue("too_many", max=most)
    return values[:most]
