"""Amounts add up to the last unit, in currencies with no, two and three digits (commerce hazards 21 and 22)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import (
    EXPONENTS,
    LARGEST,
    CurrencyMismatch,
    Money,
    allocate,
    chargeable,
    charged_in,
    exponent,
    largest_charge,
    smallest_charge,
    tax_within,
)
from services.payment.adapters.stripe_amounts import to_stripe

AMOUNTS = st.integers(min_value=-LARGEST, max_value=LARGEST)
WEIGHTS = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("KRW", 0), ("JPY", 0), ("UGX", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("BHD", 3)],
)
def test_each_currency_has_the_digits_of_iso_4217(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


def test_every_currency_code_is_three_capital_letters_and_listed_once() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
    assert len(EXPONENTS) > 140


@pytest.mark.parametrize("currency", ["", "krw", "XXX", "BTC", "KRW "])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="not a currency"):
        Money(1, currency)
    with pytest.raises(ValueError, match="not a currency"):
        exponent(currency)


def test_an_amount_that_no_shop_has_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        Money(LARGEST + 1, "KRW")


def test_two_currencies_are_never_added() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "KRW") + Money(1, "USD")


def test_amounts_of_one_currency_add_subtract_and_multiply() -> None:
    assert Money(100, "KRW") + Money(50, "KRW") - Money(30, "KRW") == Money(120, "KRW")
    assert Money(1999, "USD").times(3) == Money(5997, "USD")


def test_the_larger_remainder_gets_the_odd_unit_and_of_equals_the_first() -> None:
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(10, [1, 5, 4]) == [1, 5, 4]
    assert allocate(5, [2, 3, 3]) == [1, 2, 2]


def test_weights_of_nothing_share_evenly() -> None:
    assert allocate(3, [0, 0]) == [2, 1]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_parts_that_are_not_there_or_negative_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        allocate(1, weights)


@given(AMOUNTS, WEIGHTS)
def test_parts_always_add_up_and_each_is_within_a_unit_of_its_share(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    shares = weights if sum(weights) else [1] * len(weights)
    for part, weight in zip(parts, shares, strict=True):
        assert abs(part * sum(shares) - amount * weight) < sum(shares)


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [(11000, 1000, 1000), (100, 1000, 9), (-11000, 1000, -1000), (100, 0, 0), (119, 1900, 19)],
)
def test_the_tax_within_a_price(gross: int, rate: int, tax: int) -> None:
    assert tax_within(gross, rate) == tax


@pytest.mark.parametrize(
    ("amount", "currency", "can"),
    [
        (49, "USD", False),
        (50, "USD", True),
        (99_999_999, "USD", True),
        (100_000_000, "USD", False),
        (0, "KRW", False),
        (1, "KRW", True),
        (99_999_999, "KRW", True),
        (100_000_000, "KRW", False),
        (49, "JPY", False),
        (9_999_999_999, "JPY", True),
        (17_499, "HUF", False),
        (999_999_999_999, "IDR", True),
        (1_000_000_000_000, "IDR", False),
        (1_235, "KWD", False),
        (1_230, "KWD", True),
        (99_999_990, "KWD", True),
        (100_000_000, "KWD", False),
        # What Stripe counts in hundredths has two digits less for it, what it counts in whole units two more.
        (999_999, "ISK", True),
        (1_000_000, "ISK", False),
        (9_999_999_900, "MGA", True),
        (10_000_000_000, "MGA", False),
    ],
)
def test_a_card_is_charged_sums_between_stripes_smallest_and_largest(
    amount: int, currency: str, can: bool
) -> None:
    assert chargeable(amount, currency) is can


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_the_smallest_and_largest_sum_of_each_currency_can_be_charged(currency: str) -> None:
    least, most = smallest_charge(currency), largest_charge(currency)
    assert chargeable(least, currency) and chargeable(most, currency)
    assert not chargeable(least - charged_in(currency), currency)
    assert not chargeable(most + charged_in(currency), currency)
    assert len(str(to_stripe(most, currency))) >= 8, "as many digits as Stripe takes, by its own count"
