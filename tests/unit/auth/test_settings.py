"""auth's settings: what is missing or unsafe stops the start by name."""

import base64

import pytest

from services.auth.settings import Settings
from services.chassis import settings as chassis_settings
from services.chassis.settings import SettingsError

REQUIRED = {
    "TOKEN_ISSUER": "https://auth.test",
    "TOKEN_AUDIENCE": "tests",
    "AUTH_DATABASE_URL": "postgresql://auth:an-own-password@db/auth",
    "REDIS_URL": "redis://:an-own-password@redis:6379/0",
    "MEMBER_URL": "http://member:5000",
    "INTERNAL_API_KEY": "an-internal-key-of-its-own",
    "AUTH_KEY_ENCRYPTION_KEY": base64.b64encode(bytes(range(32))).decode(),
}
PRODUCTION = REQUIRED | {"APP_ENV": "production", "PUBLIC_ORIGIN": "https://shop.example"}


def read(environment: dict[str, str]) -> Settings:
    return chassis_settings.read(Settings, environment)


def test_the_rest_has_defaults() -> None:
    settings = read(REQUIRED)
    assert settings.port == 4000
    assert not settings.demo_data
    assert settings.master_key == bytes(range(32))
    assert settings.lifetimes.access == 600


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read({key: value for key, value in REQUIRED.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_KEY_ENCRYPTION_KEY", "too short"),
        ("AUTH_KEY_ENCRYPTION_KEY", base64.b64encode(bytes(31)).decode()),
        ("INTERNAL_API_KEY", "short"),
        ("AUTH_DATABASE_URL", "mysql://db/auth"),
        ("ACCESS_TOKEN_SECONDS", "3600"),
        ("REFRESH_GRACE_SECONDS", "0"),
        ("ARGON2_M", "8"),
        ("DEMO_DATA", "yes"),
        ("MAIL_URL", "http://mail"),
        ("AUTH_PORT", "0"),
        ("AUTH_POOL_MAX", "5"),
        ("AUTH_STATEMENT_TIMEOUT", "0"),
        ("SESSION_ABSOLUTE_SECONDS", "1000"),
        ("AUTH_TRUSTED_PROXIES", "everybody"),
        ("PUBLIC_ORIGIN", "https://shop.example/path"),
        ("MAIL_FROM", "The shop"),
    ],
)
def test_what_is_malformed_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as refused:
        read(REQUIRED | {name: value})
    if name in {"AUTH_KEY_ENCRYPTION_KEY", "INTERNAL_API_KEY"}:
        assert value not in str(refused.value)


def test_production_starts_with_secrets_of_its_own() -> None:
    assert read(PRODUCTION).production


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEMO_DATA", "true"),
        ("INTERNAL_API_KEY", "development-internal-key"),
        ("AUTH_KEY_ENCRYPTION_KEY", base64.b64encode(b"development" + bytes(21)).decode()),
        ("AUTH_DATABASE_URL", "postgresql://auth:development@db/auth"),
        ("REDIS_URL", "redis://:development@redis:6379/0"),
        ("PUBLIC_ORIGIN", "http://shop.example"),
        ("PUBLIC_ORIGIN", ""),
    ],
)
def test_production_refuses_what_is_for_development(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(PRODUCTION | {name: value})


@pytest.mark.parametrize("given", ["https://쇼핑.example:443", "https://xn--hp4bo76a.example/"])
def test_mailed_links_begin_with_the_origin_in_its_normal_form(given: str) -> None:
    assert read(PRODUCTION | {"PUBLIC_ORIGIN": given}).site == "https://xn--hp4bo76a.example"
