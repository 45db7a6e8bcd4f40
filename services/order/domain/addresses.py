"""The normal form of what a shopper says of where the goods go; whatever has none is refused by field, all at once."""

import re
import unicodedata
from collections.abc import Callable, Collection

from common import email_address, visible_text
from common.field_codes import InvalidValue
from services.order.domain.errors import InvalidOrder
from services.order.domain.orders import Address

_LONGEST = 100
_LONGEST_POSTAL_CODE = 20
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_PHONE_PUNCTUATION = re.compile(r"[\s().\u2010-\u2015-]")


def checked(address: Address, email: str, countries: Collection[str]) -> tuple[Address, str]:
    """Both in their normal form. Raises InvalidOrder; `required` for an empty `email`, which was left out,
    `not_allowed` for a country that the shop does not send to."""
    faults: dict[str, InvalidValue] = {}

    def check(field: str, normal: Callable[[str], str], value: str) -> str:
        try:
            return normal(value)
        except InvalidValue as fault:
            faults[field] = fault
            return value

    def line(text: str) -> str:
        return visible_text.line(text, _LONGEST)

    def country(text: str) -> str:
        code = visible_text.without_invisible(text).strip().upper()
        if code not in countries:
            raise InvalidValue("not_allowed")
        return code

    def mail(text: str) -> str:
        if not text:
            raise InvalidValue("required")
        return email_address.normalise(text)

    normal = Address(
        recipient=check("address.recipient", line, address.recipient),
        phone=check("address.phone", phone, address.phone),
        line1=check("address.line1", line, address.line1),
        line2="" if visible_text.is_blank(address.line2) else check("address.line2", line, address.line2),
        city=check("address.city", line, address.city),
        postal_code=check(
            "address.postal_code",
            lambda text: visible_text.line(text, _LONGEST_POSTAL_CODE),
            address.postal_code,
        ),
        country=check("address.country", country, address.country),
    )
    email = check("email", mail, email)
    if faults:
        raise InvalidOrder(faults)
    return normal, email


def phone(text: str) -> str:
    """E.164; white space, dots, hyphens and brackets are dropped. Raises InvalidValue."""
    digits = _PHONE_PUNCTUATION.sub("", visible_text.without_invisible(unicodedata.normalize("NFKC", text)))
    if not digits:
        raise InvalidValue("blank")
    if not _E164.fullmatch(digits):
        raise InvalidValue("invalid_phone")
    return digits
