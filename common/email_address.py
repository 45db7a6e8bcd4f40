"""One rule for all parts: how an e-mail address is spelt where it is stored and compared, and how on the wire. Pure.

Stored: NFC, lower case, the domain as people read it. `bücher.example` and `xn--bcher-kva.example` are one domain and
so one spelling. On the wire the domain is its A-label (RFC 5890 §2.3.2.1), which every relay takes: only a local part
beyond ASCII needs SMTPUTF8 (RFC 6531).
"""

import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

from common.field_codes import InvalidValue

LONGEST = 254
"""Characters (RFC 5321 §4.5.3.1.3, erratum 1690 of RFC 3696)."""
_LONGEST_TYPED = 1024


def normalise(text: str) -> str:
    """The one spelling of an address. Raises InvalidValue.

    The local part is folded too: RFC 5321 §2.4 lets a host tell case apart, none that people use does, and two accounts
    that differ in case alone would be one person's. Whether the domain exists is for the confirmation mail to find out.
    """
    if len(text) > _LONGEST_TYPED:
        raise InvalidValue("invalid_email")
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as fault:
        raise InvalidValue("invalid_email") from fault
    return unicodedata.normalize("NFC", found.normalized.lower())


def on_the_wire(address: str) -> str:
    """`address`, as `normalise` gives it, for mail servers and headers. Raises ValueError where its domain is none."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return local + at + idna.encode(domain, uts46=True, transitional=False).decode("ascii")
