"""Money as every part counts it: a whole number of the currency's minor unit, with the currency beside it.

No floats and no decimals inside. A currency's exponent says how many digits of the amount lie behind the point, by
ISO 4217: 1000 KRW is 1000 won, 1000 USD is 10 dollars, 1000 KWD is 1 dinar. A payment provider may count otherwise;
its adapter has its own table.
"""

from collections.abc import Sequence

import msgspec

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG"
)
_THREE = "BHD IQD JOD KWD LYD OMR TND"

EXPONENTS = {
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_THREE.split(), 3),
}
"""The digits behind the point of each active currency of ISO 4217 that people pay with."""

CHARGED_IN = {**dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 10), "MGA": 100}
"""Cards know two digits behind the point where ISO has three, and none of the ariary: what is charged or given back is
a multiple of so many minor units. Of any other currency each amount can be."""

_SMALLEST = dict.fromkeys(["AUD", "BRL", "CAD", "CHF", "EUR", "INR", "JPY", "NZD", "SGD", "USD"], 50) | {
    "AED": 200,
    "BGN": 100,
    "CZK": 1_500,
    "DKK": 250,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17_500,
    "MXN": 1_000,
    "MYR": 200,
    "NOK": 300,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "THB": 1_000,
}
_LARGEST = {
    "COP": 999_999_999_990,
    "HUF": 999_999_999_900,
    "IDR": 999_999_999_999,
    "INR": 999_999_999,
    "ISK": 999_999,
    "JPY": 9_999_999_999,
    "LBP": 99_999_999_999_900,
    "MGA": 9_999_999_900,
    "UGX": 999_999,
}
"""Both in minor units, as https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts has them.

The smallest is that of an account which is paid out in the same currency. Of one that is not, and of currencies that
are not named, it depends on a rate of exchange, and the provider alone knows it.
"""

LARGEST = 10**15
"""Of any single amount, in minor units: far above every order, and every sum of amounts fits PostgreSQL's bigint."""


class CurrencyMismatch(ValueError):  # noqa: N818
    """Amounts of two currencies met in one sum."""


class Money(msgspec.Struct, frozen=True, order=False):
    """`amount` is in minor units of `currency` (ISO 4217, upper case); below zero in a ledger or a difference.

    Raises ValueError for an unknown currency or an amount beyond LARGEST.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in EXPONENTS:
            raise ValueError("not a currency of ISO 4217")
        if not -LARGEST <= self.amount <= LARGEST:
            raise ValueError("the amount is too large")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def times(self, quantity: int) -> "Money":
        return Money(self.amount * quantity, self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.amount


def exponent(currency: str) -> int:
    """The digits behind the point. Raises ValueError for an unknown currency."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise ValueError("not a currency of ISO 4217") from None


def charged_in(currency: str) -> int:
    """Minor units of which every amount that is charged or given back is a multiple."""
    return CHARGED_IN.get(currency, 1)


def smallest_charge(currency: str) -> int:
    """Minor units of the smallest sum that a card is charged, as far as it is known without a rate of exchange."""
    return max(charged_in(currency), _SMALLEST.get(currency, 1))


def largest_charge(currency: str) -> int:
    """Minor units of the largest sum that a card is charged: eight digits, of most currencies."""
    return _LARGEST.get(currency, 99_999_999 // charged_in(currency) * charged_in(currency))


def chargeable(amount: int, currency: str) -> bool:
    """Whether a card can be charged this sum at all."""
    in_bounds = smallest_charge(currency) <= amount <= largest_charge(currency)
    return in_bounds and amount % charged_in(currency) == 0


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` divided in proportion to `weights`, to whole units that add up to it exactly (largest remainder).

    Of equal remainders the earlier part gets the unit. Weights are not negative; where all are zero, each counts as
    one. A negative `amount` is divided as its opposite. Raises ValueError without parts, or with a negative weight.
    """
    if not weights or min(weights) < 0:
        raise ValueError("weights must be there and not negative")
    if amount < 0:
        return [-part for part in allocate(-amount, weights)]
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(amount * weights[index] % whole), index))
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return parts


def tax_within(gross: int, rate: int) -> int:
    """The tax that a price including it holds, in minor units; a half rounds away from zero.

    `rate` is in basis points: 1000 is ten percent.
    """
    divisor = 10_000 + rate
    tax = (2 * abs(gross) * rate + divisor) // (2 * divisor)
    return tax if gross >= 0 else -tax
