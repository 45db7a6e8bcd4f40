"""The rows of a product's grid: a variant for each combination of its options' values. Pure."""

import itertools
from collections.abc import Collection
from dataclasses import replace

from frontend_proxy.pages.products.draft import MOST_VARIANTS, Draft, VariantDraft


def outdated(draft: Draft) -> bool:
    """Whether the options changed since the rows were made: a row names what there is not, or a value has no row."""
    codes = _codes(draft)
    if not all(codes):
        return False  # an option without values: there is something else to say first
    rows = [variant.values for variant in draft.variants]
    fit = all(_fits(values, codes) for values in rows)
    used = all(
        any(values[place] == code for values in rows) for place, of in enumerate(codes) for code in of if fit
    )
    return not (fit and used)


def too_many(draft: Draft) -> bool:
    """Whether there would be more variants than a product can have."""
    count = 1
    for codes in _codes(draft):
        count *= max(len(codes), 1)
    return count > MOST_VARIANTS


def filled(draft: Draft, *, everything: bool, kept: Collection[str] = ()) -> Draft:
    """`draft` with a row for each combination of values, in their order. `kept`: the SKUs that are stored.

    A row that is there stays; one of fewer options becomes the first combination that continues it; new ones get an SKU
    and a price to begin with. Without `everything`, a combination that was left out before stays out.
    """
    codes = _codes(draft)
    if not all(codes):
        return draft
    if not codes:
        keeps = next((each for each in draft.variants if not each.values), draft.variants[0])
        return replace(draft, variants=(replace(keeps, values=()),))
    present = {each.values: each for each in draft.variants if _fits(each.values, codes)}
    shorter = [each for each in draft.variants if not _fits(each.values, codes) and not each.blank]
    used = [{values[place] for values in present} for place in range(len(codes))]
    pattern = next((each for each in draft.variants if each.price), VariantDraft())
    taken = {each.sku for each in draft.variants if each.sku}
    rows = []
    for values in itertools.product(*codes):
        row = present.get(values)
        if row is None:
            row = next((each for each in shorter if values[: len(each.values)] == each.values), None)
            if row is not None:
                shorter.remove(row)
                # An SKU that was made here follows the values; one that has stock, or was typed, stays.
                made = row.sku not in kept and row.sku == _made(draft, row.values)
                row = replace(row, values=values, sku=_sku(draft, values, taken) if made else row.sku)
        known = all(code in used[place] for place, code in enumerate(values))
        if row is None and (everything or not known):
            row = replace(pattern, values=values, sku=_sku(draft, values, taken))
        if row is not None:
            rows.append(row)
    return replace(draft, variants=tuple(rows))


def named(draft: Draft) -> Draft:
    """`draft` with an SKU for each row that has a price and none: made of the product's address and the values."""
    taken = {each.sku for each in draft.variants if each.sku}
    return replace(
        draft,
        variants=tuple(
            replace(each, sku=_sku(draft, each.values, taken)) if each.price and not each.sku else each
            for each in draft.variants
        ),
    )


def _sku(draft: Draft, values: tuple[str, ...], taken: set[str]) -> str:
    """One that nobody has yet here; empty where the product has no address to make it of."""
    sku = _made(draft, values)
    if sku in taken:
        return ""
    taken.add(sku)
    return sku


def _made(draft: Draft, values: tuple[str, ...]) -> str:
    if not draft.slug:
        return ""
    ending = "".join(f"-{code.upper()}" for code in values)
    return (draft.slug.upper()[: max(64 - len(ending), 1)].strip("-") + ending)[:64]


def _codes(draft: Draft) -> list[list[str]]:
    return [
        [value.code for value in option.values if not value.blank]
        for option in draft.options
        if not option.blank
    ]


def _fits(values: tuple[str, ...], codes: list[list[str]]) -> bool:
    return len(values) == len(codes) and all(code in of for code, of in zip(values, codes, strict=True))
