"""Amounts that shopkeepers type, of prices and of refunds: read as people write them, or not at all."""

import pytest

from frontend_proxy.pages import amounts


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("89000", "KRW", 89000),
        (" 89,000원 ", "KRW", 89000),
        (" ₩ 89 000 ", "KRW", 89000),
        ("₩1,234,567", "KRW", 1234567),
        ("\uff18\uff19\uff10\uff10\uff10", "KRW", 89000),
        ("0", "KRW", 0),
        ("12", "USD", 1200),
        ("$12.5", "USD", 1250),
        ("1,234.50", "USD", 123450),
        ("usd 12.50", "USD", 1250),
        ("1.234", "KWD", 1234),
        ("KWD\u00a01.500", "KWD", 1500),
        ("1'200 CHF", "CHF", 120000),
        ("US$12.50", "USD", 1250),
        ("12.50 \u20ac", "EUR", 1250),
    ],
)
def test_amounts_are_taken_as_people_write_them(text: str, currency: str, amount: int) -> None:
    assert amounts.parsed(text, currency) == amount
    assert amounts.parsed(amounts.typed(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        *((text, "KRW") for text in ("", "-1", "12.5", "1e5", "free", "1.", "9" * 14, "\u3164", "1/2")),
        *((text, "KRW") for text in ("12,00", "1,2345", ",100", "١٢", "USD 12")),
        *((text, "KRW") for text in ("$50", "\u20ac10", "\u2460", "1KRW2", "\u20a910\uc6d0")),
        *(
            (text, "USD")
            for text in ("12,50", "12'50", "12 50", "12.505", "1.234,50", "1,234'567", "5\u00b2")
        ),
    ],
)
def test_what_is_no_amount_is_not_guessed_at(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        amounts.parsed(text, currency)
