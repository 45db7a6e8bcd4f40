"""A refund as it was typed: units of lines and the shipping, or an amount. Pure; what it comes to, order alone says."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from frontend_proxy.pages import amounts
from frontend_proxy.pages.forms import Form

REASONS = ("returned", "damaged", "missing", "goodwill", "other")
LONGEST_NOTE = 200


class Fault(NamedTuple):
    """A code of common/field_codes.py, and what its sentence names."""

    code: str
    params: dict[str, object]


class WantedRefund(NamedTuple):
    """`body` for the API, where `faults` (by field) and `empty` do not stand against it."""

    body: dict[str, Any]
    faults: dict[str, Fault]
    empty: bool


def read(form: Form, order: Mapping[str, Any], left: Mapping[int, int]) -> WantedRefund:
    """`left`: so many units of each line, by its position, can be given back."""
    faults: dict[str, Fault] = {}
    reason, note = form.text("reason"), form.text("note")
    if reason not in REASONS:
        faults["reason"] = Fault("not_allowed", {})
    if len(note) > LONGEST_NOTE:
        faults["note"] = Fault("too_long", {"max": LONGEST_NOTE})
    body: dict[str, Any] = {"reason": reason} | ({"note": note} if note else {})
    if form.text("by") == "amount":
        amount = _amount(form.text("amount"), order["currency"])
        if not amount:
            faults["amount"] = Fault("invalid" if form.text("amount") else "required", {})
        return WantedRefund({**body, "amount": amount}, faults, empty=False)
    lines = []
    for line in order["lines"]:
        position = line["position"]
        units = _units(form.text(f"units_{position}"))
        if units is None or units > left.get(position, 0):
            faults[f"units_{position}"] = Fault("too_large", {"max": left.get(position, 0)})
        elif units:
            lines.append({"line": position, "quantity": units})
    shipping = form.checked("shipping")
    return WantedRefund({**body, "lines": lines, "shipping": shipping}, faults, not lines and not shipping)


def _units(text: str) -> int | None:
    if not text:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _amount(text: str, currency: str) -> int | None:
    try:
        return amounts.parsed(text, currency)
    except ValueError:
        return None
