"""Amounts add up to the last unit, in currencies with no, two and three digits (commerce hazards 21 and 22)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import EXPONENTS, LARGEST, CurrencyMismatch, Money, allocate, exponent, tax_within

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
