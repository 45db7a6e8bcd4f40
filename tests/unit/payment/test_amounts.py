"""Amounts at Stripe (commerce hazard 22): KRW times 100, KWD and UGX are where others went wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import EXPONENTS
from services.payment.adapters.stripe_amounts import CannotBeCharged, from_stripe, to_stripe


@pytest.mark.parametrize(
    ("amount", "currency", "at_stripe"),
    [
        (39_000, "KRW", 39_000),
        (1_999, "USD", 1_999),
        (12_340, "KWD", 12_340),
        (5, "UGX", 500),
        (450, "ISK", 45_000),
        (200, "MGA", 2),
        (100, "JPY", 100),
    ],
)
def test_hazard_22_counts_as_the_provider_does(amount: int, currency: str, at_stripe: int) -> None:
    assert to_stripe(amount, currency) == at_stripe
    assert from_stripe(at_stripe, currency) == amount


@pytest.mark.parametrize(("amount", "currency"), [(12_341, "KWD"), (201, "MGA"), (1, "XXX")])
def test_what_the_provider_cannot_say_is_not_charged(amount: int, currency: str) -> None:
    with pytest.raises(CannotBeCharged):
        to_stripe(amount, currency)


@given(st.integers(1, 10**12), st.sampled_from(sorted(EXPONENTS)))
def test_every_amount_that_can_be_charged_comes_back_the_same(amount: int, currency: str) -> None:
    try:
        sent = to_stripe(amount, currency)
    except CannotBeCharged:
        return
    assert from_stripe(sent, currency) == amount
