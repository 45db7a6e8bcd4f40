"""A sent checkout form as an order's body. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

from frontend_proxy.pages import profiles
from frontend_proxy.pages.forms import Form

ADDRESS = ("recipient", "phone", "line1", "line2", "city", "postal_code", "country")
FIELDS = frozenset({"email", *(f"address.{name}" for name in ADDRESS)})
"""The fields of an order that the form shows."""
NEW = "new"
"""In the place of an address of the book."""
COUNTRY = "KR"
"""Where a number that begins with 0 is dialled, and where the shop sends to if the cart does not say."""


def typed(form: Form) -> dict[str, str]:
    """What was typed, to be shown again."""
    return {name: form.text(name) for name in (*ADDRESS, "email")}


def name_of(address: Mapping[str, Any]) -> str:
    """What the form calls an address of the book: by all that is in it, since its place may be another one's by the
    time that the form is sent."""
    said = "\0".join(address.get(name) or "" for name in ADDRESS if name != "phone")
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def of_book(form: Form) -> bool:
    """Whether an address of the book was chosen."""
    return form.text("where") not in {"", NEW}


def chosen_address(form: Form, book: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The address of the book that was chosen; None for a new one, or one that is not there any more."""
    addresses = book["addresses"] if book else []
    return next((each for each in addresses if name_of(each) == form.text("where")), None)


def countries(cart: Mapping[str, Any] | None) -> list[str]:
    """Where the shop sends to, the usual one first."""
    return list((cart or {}).get("countries") or [COUNTRY])


def first_choice(book: Mapping[str, Any] | None, sent_to: list[str]) -> str:
    """The first address of the book that the shop sends to; `new` where there is none."""
    addresses = book["addresses"] if book else []
    return next((name_of(address) for address in addresses if address["country"] in sent_to), NEW)


def saved_address(form: Form) -> dict[str, str]:
    """The typed address as the book keeps it."""
    return {
        "recipient": form.text("recipient"),
        "line1": form.text("line1"),
        "line2": form.text("line2"),
        "city": form.text("city"),
        "postal_code": form.text("postal_code"),
        "country": form.text("country") or COUNTRY,
    }


def body(form: Form, book: Mapping[str, Any] | None, language: str) -> dict[str, Any]:
    """The body of `POST /api/orders`. A number that cannot be read is one that no cart has."""
    address = {**(chosen_address(form, book) or saved_address(form))}
    address = {name: address.get(name) or "" for name in ADDRESS if name != "phone"}
    phone = form.text("phone")
    if address["country"] == COUNTRY:
        phone = profiles.phone(phone) or ""
    sent: dict[str, Any] = {
        "cart_version": number(form.text("cart_version")) or 1,
        "expected_total": number(form.text("expected_total")),
        "address": {**address, "phone": phone},
        "lang": language,
    }
    if form.text("email"):
        sent["email"] = form.text("email")
    return sent


def number(text: str) -> int:
    """A whole number as the page wrote it into its form; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
