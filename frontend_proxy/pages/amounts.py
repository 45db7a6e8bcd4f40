"""Amounts as shopkeepers type them, `89,000원` or `12.50`, and as the APIs count them. Pure."""

import re
import unicodedata

from common.money import EXPONENTS, LARGEST

_DRESSING = re.compile(r"[\s'₩$€£¥원]")
_AMOUNT = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,13})(?:\.(?P<part>[0-9]{1,3}))?", re.ASCII
)


def parsed(text: str, currency: str) -> int:
    """The amount in minor units. Raises ValueError for what is no amount, has more digits behind the point than the
    currency, or a comma that parts no thousands: `12,50` is not 1,250."""
    plain = unicodedata.normalize("NFKC", text).upper().replace(currency, "")
    found = _AMOUNT.fullmatch(_DRESSING.sub("", plain))
    digits = EXPONENTS.get(currency, 2)
    if found is None or len(found["part"] or "") > digits:
        raise ValueError("not an amount")
    amount = int(found["whole"].replace(",", "") + (found["part"] or "").ljust(digits, "0"))
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
