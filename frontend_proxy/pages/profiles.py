"""A member's profile as a form: as a change for the member API, and with what somebody else stored meanwhile."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from common import visible_text
from frontend_proxy.pages.forms import Form

FIELDS = frozenset({"name", "email", "phone", "grade"})
GRADES = ("standard", "silver", "gold", "vip")

_PUNCTUATION = re.compile(r"[\s().\u2010-\u2015-]")


class Edit(NamedTuple):
    """What a profile form shows: `values` as typed or stored, `version` for `If-Match`, and what is said of
    it.

    `theirs` holds, by field, what somebody else has stored meanwhile where it differs from `values`.
    """

    values: dict[str, Any]
    version: int
    errors: dict[str, str]
    theirs: dict[str, Any]
    fault: str | None = None


def stored(member: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values for a member as the API gives it."""
    return {
        "name": member.get("name") or "",
        "email": member.get("email") or "",
        "phone": member.get("phone") or "",
        "grade": member.get("grade") or "",
        "marketing_consent": bool(member.get("marketing_consent")),
    }


def typed(form: Form, *, with_grade: bool, with_email: bool) -> dict[str, Any]:
    """The form's values as sent. An account's `email` is no part of its profile: it is changed with the password."""
    values: dict[str, Any] = {"name": form.text("name"), "phone": form.text("phone")}
    if with_email:
        values["email"] = form.text("email")
    if with_grade:
        values["grade"] = form.text("grade")
    return values | {"marketing_consent": form.checked("marketing_consent")}


def change(values: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7396) for these values: an empty phone number removes it."""
    return {**values, "phone": phone(values["phone"])}


def phone(text: str) -> str | None:
    """A phone number in E.164's form: white space and dashes go, and a Korean trunk 0 becomes +82. None for
    empty."""
    digits = _PUNCTUATION.sub("", visible_text.without_invisible(unicodedata.normalize("NFKC", text)))
    if not digits:
        return None
    return f"+82{digits[1:]}" if re.fullmatch(r"0[0-9]{8,10}", digits) else digits


def version(form: Form) -> int:
    """The version that the form was made from; 0, which is never current, where it has none."""
    text = form.text("version")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def differing(values: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """The stored values that differ from the typed ones."""
    ours = dict(values) | {"phone": phone(str(values.get("phone", ""))) or ""}
    return {name: current[name] for name in ours if name in current and current[name] != ours[name]}


def as_dialled(number: str | None) -> str:
    """A stored phone number as people in Korea write it: `010-1234-5678`; others as they are stored."""
    if not number:
        return ""
    found = re.fullmatch(r"\+82(2|[1-9][0-9])([0-9]{3,4})([0-9]{4})", number)
    return f"0{found[1]}-{found[2]}-{found[3]}" if found else number
