import pytest

from services.chassis import settings
from services.chassis.settings import SettingsError
from services.member.settings import Settings

ENVIRONMENT = {
    "TOKEN_ISSUER": "https://auth",
    "TOKEN_AUDIENCE": "gatehouse",
    "MEMBER_DATABASE_URL": "postgresql://member:9f31c@db/member",
    "AUTH_URL": "http://auth:4000",
    "AUTH_JWKS_URL": "http://auth:4000/.well-known/jwks.json",
    "REDIS_URL": "redis://member@redis:6379/0",
    "INTERNAL_API_KEY": "81d1a5b2c3d4e5f6",
    "APP_ENV": "production",
}


def test_production_refuses_demo_data() -> None:
    settings.read(Settings, ENVIRONMENT)
    with pytest.raises(SettingsError, match="DEMO_DATA"):
        settings.read(Settings, {**ENVIRONMENT, "DEMO_DATA": "true"})


def test_production_refuses_the_development_key() -> None:
    with pytest.raises(SettingsError, match="INTERNAL_API_KEY"):
        settings.read(Settings, {**ENVIRONMENT, "INTERNAL_API_KEY": "development-internal-key"})
