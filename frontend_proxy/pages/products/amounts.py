"""Prices as shopkeepers type them, `89,000` or `12.50`, and as the APIs count them. Pure."""

import re
import unicodedata

from common.money import EXPONENTS

_DRESSING = re.compile(r"[\s,'₩$€£¥원]|KRW|USD|EUR|JPY|GBP", re.IGNORECASE)
_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,13})(?:\.(?P<part>[0-9]{1,3}))?", re.ASCII)


def parsed(text: str, currency: str) -> int:
    """The amount in minor units. Raises ValueError for what is no amount, or has more digits behind the point than the
    currency."""
    found = _AMOUNT.fullmatch(_DRESSING.sub("", unicodedata.normalize("NFKC", text)))
    digits = EXPONENTS.get(currency, 2)
    if found is None or len(found["part"] or "") > digits:
        raise ValueError("not an amount")
    return int(found["whole"] + (found["part"] or "").ljust(digits, "0"))


def typed(amount: int | None, currency: str) -> str:
    """The amount as it stands in a field; empty for none."""
    if amount is None:
        return ""
    digits = EXPONENTS.get(currency, 2)
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)
