"""The hosted page's sums are those that payment asks for, in currencies that Stripe counts otherwise too."""

import pytest

from sandbox_provider.page import amount_text
from services.payment.adapters.stripe_amounts import to_stripe


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (3_000, "KRW", "3,000 KRW"),
        (1_050, "USD", "10.50 USD"),
        (1_250, "KWD", "1.250 KWD"),
        (3_000, "ISK", "3,000.00 ISK"),
        (300_000, "MGA", "3,000 MGA"),
    ],
)
def test_a_sum_is_shown_as_it_is_charged(amount: int, currency: str, shown: str) -> None:
    assert amount_text(to_stripe(amount, currency), currency.lower()) == shown
