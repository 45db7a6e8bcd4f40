"""The normal forms of a member's values; whatever cannot be brought into them is refused by field, all at once."""

import re
import unicodedata
from collections.abc import Callable, Sequence

from email_validator import EmailNotValidError, validate_email

from services.member.domain.errors import InvalidMember
from services.member.domain.member import Address, Grade, Profile

MAX_NAME = 100
MAX_ADDRESSES = 10

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_PHONE_PUNCTUATION = str.maketrans("", "", " -.()")
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


def email(text: str) -> str:
    """RFC 5321 syntax, lower case: no provider in use tells addresses apart by case. Raises ValueError.

    As auth has it, to the letter: an address taken here that auth refuses would be nobody's to sign in with.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as fault:
        raise ValueError(str(fault)) from fault
    return found.normalized.lower()


def line(text: str, longest: int = MAX_NAME) -> str:
    """One line of text: NFC, no control characters, no space around. Raises ValueError if empty or too long."""
    clean = " ".join(composed(text).split())
    if not clean:
        raise ValueError("must not be empty")
    if len(clean) > longest:
        raise ValueError(f"must not be longer than {longest} characters")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} for character in clean):
        raise ValueError("must not hold control characters")
    return clean


def composed(text: str) -> str:
    """NFC, the one spelling that is stored and searched: a Hangul syllable may also be typed as its letters."""
    return unicodedata.normalize("NFC", text)


def phone(text: str) -> str:
    """E.164, as `+821012345678`; spaces, dots, hyphens and brackets are dropped. Raises ValueError."""
    digits = text.translate(_PHONE_PUNCTUATION)
    if not _E164.fullmatch(digits):
        raise ValueError("must be an international number such as +821012345678")
    return digits


def country(text: str) -> str:
    """ISO 3166-1 alpha-2 in upper case. Raises ValueError."""
    code = text.strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise ValueError("must be a two-letter country code such as KR")
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
            faults.found["addresses"] = f"must not be more than {MAX_ADDRESSES}"
        addresses = [_address(faults, index, address) for index, address in enumerate(addresses)]
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
        self.found: dict[str, str] = {}

    def check(self, field: str, normal: Callable[[str], str], value: str) -> str:
        try:
            return normal(value)
        except ValueError as fault:
            self.found[field] = str(fault)
            return value


def _address(faults: _Faults, index: int, address: Address) -> Address:
    at = f"addresses.{index}"
    return Address(
        recipient=faults.check(f"{at}.recipient", line, address.recipient),
        line1=faults.check(f"{at}.line1", line, address.line1),
        line2=faults.check(f"{at}.line2", line, address.line2) if address.line2.strip() else "",
        city=faults.check(f"{at}.city", line, address.city),
        postal_code=faults.check(f"{at}.postal_code", lambda text: line(text, 20), address.postal_code),
        country=faults.check(f"{at}.country", country, address.country),
    )
