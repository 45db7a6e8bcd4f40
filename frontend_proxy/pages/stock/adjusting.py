"""An adjustment as a shopkeeper enters it: a reason and a number, whose meaning follows from the reason. Pure."""

import re
import unicodedata
from typing import Any, NamedTuple

from frontend_proxy.pages.forms import Form

COMING = ("delivery", "returned")
GOING = ("damaged", "lost")
COUNTED = "count"
SIGNED = "correction"
REASONS = (COMING[0], COUNTED, *GOING, COMING[1], SIGNED)
"""In the order in which a day brings them."""
MOST = 10**9

_NUMBER = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)


class Wanted(NamedTuple):
    """`body` is what the catalog is asked for; `wrong` has the key of a sentence for each field whose text is none."""

    body: dict[str, Any]
    wrong: dict[str, str]


def wanted(sku: str, form: Form) -> Wanted:
    """Numbers are units: so many came, went, or were counted; a correction may be below zero."""
    reason = form.text("reason")
    body: dict[str, Any] = {"sku": sku, "reason": reason, "note": form.text("note")}
    if reason not in REASONS:
        return Wanted(body, {"reason": "stock.choose_reason"})
    text = unicodedata.normalize("NFKC", form.text("quantity")).replace(",", "").replace("\u2212", "-")
    if not _NUMBER.fullmatch(text):
        return Wanted(body, {"quantity": "stock.not_a_number"})
    number = int(text)
    if reason == COUNTED and 0 <= number <= MOST:
        return Wanted({**body, "counted": number}, {})
    if reason == SIGNED and number != 0 and abs(number) <= MOST:
        return Wanted({**body, "change": number}, {})
    if reason in COMING + GOING and 0 < number <= MOST:
        return Wanted({**body, "change": -number if reason in GOING else number}, {})
    return Wanted(body, {"quantity": f"stock.not_so_many_{'count' if reason == COUNTED else 'change'}"})
