"""Two shopkeepers in one product: what each of them changed, and what the form shows then. Pure.

A form carries a digest of every part that it was made from. So it is known, without the old text, which parts were
changed here and which by somebody else: what only the other changed is taken over, what both changed is for the
shopkeeper to decide.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from frontend_proxy.pages.products.draft import LANGUAGES, Draft, VariantDraft

_DIGEST = re.compile(r"[0-9a-f]{10}")
_WHOLE = ("status", "category", "slug", "brand", "keywords", "vat")


class Difference(NamedTuple):
    """`part` names it (`name_ko`, `options`, `variant:SKU`). `ours` and `theirs` are texts; an empty one is nothing.
    `taken`: only the other changed it, and the form has it now."""

    part: str
    ours: str
    theirs: str
    taken: bool


class Merged(NamedTuple):
    draft: Draft
    differences: list[Difference]


def digests(draft: Draft) -> str:
    """What a form made of `draft` carries."""
    return json.dumps({part: _digest(text) for part, text in parts(draft).items()}, separators=(",", ":"))


def merged(ours: Draft, theirs: Draft, base: str) -> Merged:
    """The form `ours`, made of the parts that `base` has the digests of, brought to what is stored now."""
    before = _read(base)
    mine, stored = parts(ours), parts(theirs)
    differences = []
    draft = ours
    for part in dict.fromkeys([*mine, *stored]):
        own, other = mine.get(part, ""), stored.get(part, "")
        was = before.get(part, _digest(""))
        if own == other or _digest(other) == was:
            continue
        taken = _digest(own) == was
        differences.append(Difference(part, own, other, taken))
        if taken:
            draft = _with(draft, theirs, part)
    return Merged(draft, differences)


def parts(draft: Draft) -> dict[str, str]:
    """Everything that can be changed, each part as a text."""
    found = {name: str(getattr(draft, name)) for name in _WHOLE}
    for language in LANGUAGES:
        found[f"name_{language}"] = draft.names[language]
        found[f"description_{language}"] = draft.descriptions[language]
    found["options"] = "; ".join(
        f"{_called(option.names)} ({option.code}): "
        + ", ".join(f"{_called(value.names)} ({value.code})" for value in option.values if not value.blank)
        for option in draft.options
        if not option.blank
    )
    for variant in draft.variants:
        if not variant.blank:
            found[f"variant:{variant.sku}"] = " · ".join(
                filter(
                    None,
                    (
                        "/".join(variant.values),
                        variant.price,
                        f"({variant.before})" if variant.before else "",
                        "" if draft.vat else variant.vat,
                        variant.weight,
                        "" if variant.active else "×",
                    ),
                )
            )
    return found


def _with(draft: Draft, theirs: Draft, part: str) -> Draft:
    if part in _WHOLE:
        return replace(draft, **{part: getattr(theirs, part)})
    if part == "options":
        return replace(draft, options=theirs.options)
    kind, _, name = part.partition("_")
    if kind == "name":
        return replace(draft, names={**draft.names, name: theirs.names[name]})
    if kind == "description":
        return replace(draft, descriptions={**draft.descriptions, name: theirs.descriptions[name]})
    sku = part.removeprefix("variant:")
    stored: VariantDraft | None = next((each for each in theirs.variants if each.sku == sku), None)
    rows = [stored if each.sku == sku else each for each in draft.variants]
    if stored is not None and stored not in rows:
        rows.append(stored)
    return replace(draft, variants=tuple(row for row in rows if row is not None))


def _called(names: Mapping[str, str]) -> str:
    return " | ".join(filter(None, names.values()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _read(base: str) -> dict[str, str]:
    """What the form says of itself; what is none counts as changed by everybody."""
    try:
        read = json.loads(base)
    except (ValueError, RecursionError):
        return {}
    found = read if isinstance(read, dict) else {}
    return {
        str(part): text for part, text in found.items() if isinstance(text, str) and _DIGEST.fullmatch(text)
    }


def skus(base: str) -> set[str]:
    """Those that were the product's when the form was made."""
    return {part.removeprefix("variant:") for part in _read(base) if part.startswith("variant:")}
