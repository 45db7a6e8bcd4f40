"""What the shop charges by its settings can be charged."""

import pytest

from services.chassis import settings
from services.chassis.settings import SettingsError
from services.order.settings import Settings

GOOD = {
    "TOKEN_ISSUER": "https://issuer.example",
    "TOKEN_AUDIENCE": "shop",
    "AUTH_JWKS_URL": "http://auth:4000/.well-known/jwks.json",
    "REDIS_URL": "redis://order@redis:6379/0",
    "AUTH_URL": "http://auth:4000",
    "CATALOG_URL": "http://catalog:3002",
    "PAYMENT_URL": "http://payment:7100",
    "INTERNAL_API_KEY": "an-internal-key-of-some-length",
    "ORDER_DATABASE_URL": "postgresql://orders:secret@postgres:5432/orders",
    "PUBLIC_ORIGIN": "https://shop.example",
    "MAIL_URL": "file:///tmp/mail",
}


@pytest.mark.parametrize(("currency", "amount"), [("KWD", 1_255), ("MGA", 1_250)])
def test_hazard_22_amounts_that_no_card_is_charged_are_refused(currency: str, amount: int) -> None:
    with pytest.raises(SettingsError, match="SHIPPING_FEE must be a multiple of"):
        settings.read(Settings, GOOD | {"STORE_CURRENCY": currency, "SHIPPING_FEE": str(amount)})


def test_a_sum_that_is_compared_and_not_charged_may_be_any() -> None:
    chosen = {"STORE_CURRENCY": "KWD", "SHIPPING_FEE": "1250", "SHIPPING_FREE_FROM": "19999"}
    assert settings.read(Settings, GOOD | chosen).rates.of(19_999) == 0


@pytest.mark.parametrize(("currency", "fee"), [("KRW", 2_999), ("USD", 499), ("KWD", 1_250), ("MGA", 1_200)])
def test_what_can_be_charged_is_taken(currency: str, fee: int) -> None:
    taken = settings.read(Settings, GOOD | {"STORE_CURRENCY": currency, "SHIPPING_FEE": str(fee)})
    assert taken.rates.of(1) == fee
