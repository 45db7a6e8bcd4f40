"""What every service needs of its environment; a service declares a subclass (common/settings.py reads it)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from common import redis_address
from common.money import EXPONENTS
from common.settings import (
    Env,
    SettingsError,
    describe,
    is_development_secret,
    read,
)
from common.telemetry.settings import DEFAULT_RATIO, OtlpEndpoint, SampleRatio

__all__ = [
    "DatabaseUrl",
    "DemoData",
    "Env",
    "IdempotencyTtl",
    "InternalApiKey",
    "PoolMax",
    "ServiceSettings",
    "SettingsError",
    "StatementTimeout",
    "StoreCurrency",
    "TokenSettings",
    "check_currency",
    "check_demo_data",
    "describe",
    "is_development_secret",
    "read",
]


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every service needs."""

    app_env: Annotated[
        Literal["development", "production"],
        Meta(description="`production` refuses development secrets and demo data."),
    ] = "development"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Meta(description="Least level that is logged."),
    ] = "INFO"
    otlp_endpoint: OtlpEndpoint = ""
    trace_sample_ratio: SampleRatio = DEFAULT_RATIO
    host: Annotated[str, Meta(description="Address to listen on; `0.0.0.0` inside a container.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on.")]
    token_issuer: Annotated[str, Meta(min_length=1, description="`iss` of access tokens.")]
    token_audience: Annotated[str, Meta(min_length=1, description="`aud` of access tokens.")]

    @property
    def production(self) -> bool:
        return self.app_env == "production"


class TokenSettings(ServiceSettings, frozen=True, kw_only=True):
    """What a service needs besides to judge access tokens by itself."""

    auth_jwks_url: Annotated[str, Meta(pattern="^https?://", description="Where auth's public keys are.")]
    redis_url: Annotated[
        str,
        Meta(
            pattern="^rediss?://",
            description="Where auth writes which sessions have ended, `redis://user@host:port/0`; `rediss://` checks "
            "the certificate and its name (`?ssl_ca_certs=` names a file of authorities); `?sentinel=NAME` and "
            "`?cluster=true` say what the host is (docs/kubernetes.md).",
        ),
        Env(secret=True, schemes=redis_address.SCHEMES, apart="{SERVICE}_REDIS_PASSWORD"),
    ]


DatabaseUrl = Annotated[
    str,
    Meta(
        pattern="^postgres(ql)?://",
        description="The service's own database, `postgresql://user@host:port/name`; "
        "`postgresql://user@a:5432,b:5432/name?target_session_attrs=read-write` is whichever of them is the primary.",
    ),
    Env(
        "{SERVICE}_DATABASE_URL",
        secret=True,
        schemes=("postgresql", "postgres"),
        apart="{SERVICE}_DATABASE_PASSWORD",
    ),
]
PoolMax = Annotated[
    int,
    Meta(ge=2, le=100, description="Most connections to the database, for each replica."),
    Env("{SERVICE}_POOL_MAX"),
]
StatementTimeout = Annotated[
    float,
    Meta(gt=0, le=60, description="Seconds after which the database ends a statement."),
    Env("{SERVICE}_STATEMENT_TIMEOUT"),
]
InternalApiKey = Annotated[
    str,
    Meta(min_length=16, description="Secret of `/internal/*`, the same in all services."),
    Env(secret=True),
]
IdempotencyTtl = Annotated[
    int, Meta(ge=1, le=604800, description="Seconds that the outcome of a keyed request is kept.")
]
StoreCurrency = Annotated[
    str, Meta(description="The store's one currency, ISO 4217; every price is in its minor unit.")
]
DemoData = Annotated[bool, Meta(description="Loads demo data at the first start; refused in production.")]
"""Fields that several services have, for their annotations."""


def check_demo_data(*, production: bool, demo_data: bool) -> None:
    """Raises SettingsError where a shop in production would get a known account and made-up goods."""
    if production and demo_data:
        raise SettingsError("DEMO_DATA must not be true in production")


def check_currency(code: str) -> None:
    """Raises SettingsError where the store's currency is none."""
    if code not in EXPONENTS:
        raise SettingsError("STORE_CURRENCY is not a currency of ISO 4217")
