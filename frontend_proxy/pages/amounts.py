"""Amounts as shopkeepers type them, `89,000원` or `12.50`, and as the APIs count them. Pure."""

import re
from functools import cache

from babel.numbers import get_currency_symbol

from common.languages import LANGUAGES
from common.money import EXPONENTS, LARGEST

_AMOUNT = re.compile(
    r"(?P<whole>[0-9]{1,3}(?P<mark>[,' ])[0-9]{3}(?:(?P=mark)[0-9]{3}){0,3}|[0-9]{1,13})(?:\.(?P<part>[0-9]{1,3}))?"
)
_WIDE = "".join(map(chr, range(0xFF01, 0xFF5F)))
"""As Korean keyboards can write ASCII."""
_PLAIN = str.maketrans(
    _WIDE + "\u00a0\u2009\u202f\u3000\uffe6\u2019",
    "".join(chr(ord(wide) - 0xFEE0) for wide in _WIDE) + "    ₩'",
)


def parsed(text: str, currency: str) -> int:
    """The amount in minor units, with the currency's own sign or code before or behind it, if any.

    Raises ValueError for what is no amount, has more digits behind the point than the currency, or a mark that parts
    no thousands: `12,50` is not 1,250.
    """
    found = _AMOUNT.fullmatch(_bare(text.translate(_PLAIN).strip().upper(), currency))
    digits = EXPONENTS.get(currency, 2)
    if found is None or len(found["part"] or "") > digits:
        raise ValueError("not an amount")
    whole = found["whole"].replace(found["mark"] or ",", "")
    amount = int(whole + (found["part"] or "").ljust(digits, "0"))
    if amount > LARGEST:
        raise ValueError("not an amount")
    return amount


def typed(amount: int | None, currency: str) -> str:
    """The amount as it stands in a field; empty for none."""
    if amount is None:
        return ""
    digits = EXPONENTS.get(currency, 2)
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)


def _bare(text: str, currency: str) -> str:
    for name in _names(currency):
        if text.startswith(name):
            return text.removeprefix(name).lstrip()
        if text.endswith(name):
            return text.removesuffix(name).rstrip()
    return text


@cache
def _names(currency: str) -> tuple[str, ...]:
    """How the pages and people write the currency, the longest first."""
    names = {currency, *(get_currency_symbol(currency, language) for language in LANGUAGES)}
    if currency == "KRW":
        names.add("원")
    return tuple(sorted((name.upper() for name in names), key=len, reverse=True))
