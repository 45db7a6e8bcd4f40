"""The normal forms of a member's values; whatever cannot be brought into them is refused by field, all at once."""

import re
import unicodedata
from collections.abc import Callable, Sequence

from common import email_address, visible_text
from common.field_codes import InvalidValue
from services.member.domain.errors import InvalidMember
from services.member.domain.member import Address, Grade, Profile

MAX_NAME = 100
MAX_POSTAL_CODE = 20
MAX_ADDRESSES = 10

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_PHONE_PUNCTUATION = re.compile(r"[\s().\u2010-\u2015-]")
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


email = email_address.normalise


def line(text: str, longest: int = MAX_NAME) -> str:
    """One line of text in its stored form (common/visible_text.py). Raises InvalidValue."""
    return visible_text.line(text, longest)


def composed(text: str) -> str:
    """NFC, the one spelling that is stored and searched: a Hangul syllable may also be typed as its letters."""
    return unicodedata.normalize("NFC", text)


def phone(text: str) -> str:
    """E.164, as `+821012345678`; white space, dots, hyphens and brackets are dropped. Raises InvalidValue."""
    digits = _PHONE_PUNCTUATION.sub("", visible_text.without_invisible(unicodedata.normalize("NFKC", text)))
    if not _E164.fullmatch(digits):
        raise InvalidValue("invalid_phone")
    return digits


def country(text: str) -> str:
    """ISO 3166-1 alpha-2 in upper case. Raises InvalidValue."""
    code = visible_text.without_invisible(text).strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise InvalidValue("invalid_country")
    return code


def profile(
    *,
    email: str,
    name: str,
    phone: str | None,
    grade: Grade,
    addresses: Sequence[Address],
    marketing_consent: bool,
    present: Profile | None = None,
) -> Profile:
    """A profile with every value in its normal form. Raises InvalidMember, which names every wrong field.

    What is as in the `present` profile is let be: names come from auth and rules change, and a stored value that
    would be refused today must not keep its owner from changing another.
    """
    faults = _Faults()
    if present is None or email != present.email:
        email = faults.check("email", _email, email)
    if present is None or name != present.name:
        name = faults.check("name", line, name)
    if phone is not None and (present is None or phone != present.phone):
        phone = faults.check("phone", _phone, phone)
    if present is None or tuple(addresses) != present.addresses:
        if len(addresses) > MAX_ADDRESSES:
            faults.found["addresses"] = InvalidValue("too_many", max=MAX_ADDRESSES)
        kept = present.addresses if present else ()
        addresses = [
            address if address in kept else _address(faults, index, address)
            for index, address in enumerate(addresses)
        ]
    if faults.found:
        raise InvalidMember(faults.found)
    return Profile(
        email=email,
        name=name,
        phone=phone,
        grade=grade,
        addresses=tuple(addresses),
        marketing_consent=marketing_consent,
    )


_email, _phone = email, phone


class _Faults:
    """Collects what is wrong, so that a form learns of all its fields in one answer."""

    def __init__(self) -> None:
        self.found: dict[str, InvalidValue] = {}

    def check(self, field: str, normal: Callable[[str], str], value: str) -> str:
        try:
            return normal(value)
        except InvalidValue as fault:
            self.found[field] = fault
            return value


def _address(faults: _Faults, index: int, address: Address) -> Address:
    at = f"addresses.{index}"
    return Address(
        recipient=faults.check(f"{at}.recipient", line, address.recipient),
        line1=faults.check(f"{at}.line1", line, address.line1),
        line2=""
        if visible_text.is_blank(address.line2)
        else faults.check(f"{at}.line2", line, address.line2),
        city=faults.check(f"{at}.city", line, address.city),
        postal_code=faults.check(
            f"{at}.postal_code", lambda text: line(text, MAX_POSTAL_CODE), address.postal_code
        ),
        country=faults.check(f"{at}.country", country, address.country),
    )
