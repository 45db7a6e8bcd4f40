"""How Stripe counts money (https://docs.stripe.com/currencies): almost as ISO 4217, and not quite.

Ours are ISO's minor units (common/money.py). Where Stripe has more digits, ours are multiplied; where it takes only
whole tens (currencies of three digits), an amount that is none cannot be charged.
"""

from common.money import EXPONENTS, charged_in

_TWO_DIGITS_AT_STRIPE = ("ISK", "UGX")
"""Without a minor unit since a while; Stripe still counts in hundredths, and only whole units can be charged."""
_NONE_AT_STRIPE = ("MGA",)
"""Ariary: two digits by ISO, none at Stripe."""


class CannotBeCharged(ValueError):  # noqa: N818
    """Stripe has no way to say this amount."""


def to_stripe(amount: int, currency: str) -> int:
    """Raises CannotBeCharged."""
    if currency not in EXPONENTS:
        raise CannotBeCharged(f"{currency} is not a currency of ISO 4217")
    if currency in _TWO_DIGITS_AT_STRIPE:
        return amount * 100
    if amount % charged_in(currency):
        raise CannotBeCharged(f"{currency} is charged in multiples of {charged_in(currency)} minor units")
    return amount // 100 if currency in _NONE_AT_STRIPE else amount


def from_stripe(amount: int, currency: str) -> int:
    """Raises CannotBeCharged for an amount that Stripe cannot have meant."""
    if currency in _TWO_DIGITS_AT_STRIPE:
        whole, rest = divmod(amount, 100)
        if rest:
            raise CannotBeCharged(f"{currency} has no minor unit")
        return whole
    return amount * 100 if currency in _NONE_AT_STRIPE else amount
