"""Production refuses what is for development, and a live key goes to Stripe alone."""

import pytest

from services.chassis import settings
from services.chassis.settings import SettingsError
from services.payment.settings import Settings

GOOD = {
    "APP_ENV": "production",
    "TOKEN_ISSUER": "https://issuer.example",
    "TOKEN_AUDIENCE": "shop",
    "AUTH_JWKS_URL": "http://auth:4000/.well-known/jwks.json",
    "REDIS_URL": "redis://payment@redis:6379/0",
    "ORDER_URL": "http://order:7000",
    "INTERNAL_API_KEY": "an-internal-key-of-some-length",
    "PAYMENT_DATABASE_URL": "postgresql://payments:secret@postgres:5432/payments",
    "STRIPE_SECRET_KEY": "sk_live_0123456789",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789",
}


def test_a_live_account_is_taken_in_production() -> None:
    assert settings.read(Settings, GOOD).stripe_url == "https://api.stripe.com"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"STRIPE_SECRET_KEY": "sk_test_sandbox"}, "STRIPE_SECRET_KEY is the sandbox's"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET is not set"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_development_sandbox"}, "STRIPE_WEBHOOK_SECRET is the sandbox's"),
        (
            {"STRIPE_WEBHOOK_SECRET_FORMER": "whsec_development_sandbox"},
            "STRIPE_WEBHOOK_SECRET is the sandbox's",
        ),
        ({"STRIPE_URL": "http://api.stripe.com"}, "STRIPE_URL must be https"),
        ({"STRIPE_URL": "https://stripe.example"}, "a live key is sent nowhere else"),
        ({"APP_ENV": "development"}, "STRIPE_SECRET_KEY is a live key"),
        ({"STRIPE_SECRET_KEY": "pk_live_0123456789"}, "STRIPE_SECRET_KEY is not valid"),
    ],
)
def test_refuses(changed: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as refused:
        settings.read(Settings, GOOD | changed)
    assert "0123456789" not in str(refused.value)


@pytest.mark.parametrize(
    ("hold", "minutes"), [("60", 31), ("900", 31), ("3600", 65), ("82800", 1385), ("86400", 24 * 60 - 1)]
)
def test_a_page_lives_as_long_as_the_hold_within_what_the_provider_allows(hold: str, minutes: int) -> None:
    read = settings.read(Settings, {**GOOD, "ORDER_HOLD_SECONDS": hold})
    assert read.session_lasts.total_seconds() == minutes * 60
