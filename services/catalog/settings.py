"""What the catalog service needs of its environment."""

from typing import Annotated

from msgspec import Meta

from common.money import EXPONENTS
from services.chassis.settings import Env, SettingsError, TokenSettings


class Settings(TokenSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("CATALOG_PORT")] = (
        3002
    )
    database_url: Annotated[
        str,
        Meta(
            pattern="^postgres(ql)?://",
            description="The catalog database, `postgresql://user@host:port/name`.",
        ),
        Env(
            "CATALOG_DATABASE_URL",
            secret=True,
            schemes=("postgresql", "postgres"),
            apart="CATALOG_DATABASE_PASSWORD",
        ),
    ]
    pool_max: Annotated[
        int,
        Meta(ge=2, le=100, description="Most connections to the database, for each replica."),
        Env("CATALOG_POOL_MAX"),
    ] = 8
    statement_timeout: Annotated[
        float,
        Meta(gt=0, le=60, description="Seconds after which the database ends a statement."),
        Env("CATALOG_STATEMENT_TIMEOUT"),
    ] = 5.0
    internal_api_key: Annotated[
        str,
        Meta(min_length=16, description="Secret of `/internal/*`, the same in all services."),
        Env(secret=True),
    ]
    idempotency_ttl: Annotated[
        int, Meta(ge=1, le=604800, description="Seconds that the outcome of a keyed request is kept.")
    ] = 3600
    store_currency: Annotated[
        str, Meta(description="The store's one currency, ISO 4217; every price is in its minor unit.")
    ] = "KRW"
    vat_rate_standard: Annotated[
        int,
        Meta(ge=0, le=10_000, description="VAT within prices of the class `standard`, in basis points."),
    ] = 1000
    vat_rate_reduced: Annotated[
        int, Meta(ge=0, le=10_000, description="VAT within prices of the class `reduced`, in basis points.")
    ] = 500
    few_left: Annotated[
        int, Meta(ge=0, le=1000, description="So many units or fewer are shown as few left.")
    ] = 5
    price_bands: Annotated[
        str,
        Meta(
            pattern="^[0-9]+(,[0-9]+)*$",
            description="Bounds of the price bands beside lists, in minor units, rising.",
        ),
    ] = "10000,30000,50000,100000,200000"
    browsing_ttl: Annotated[
        float,
        Meta(
            ge=0,
            le=300,
            description="Seconds that counts beside a list, and the tree they are of, may be old.",
        ),
        Env("CATALOG_BROWSING_TTL"),
    ] = 10.0
    media_url: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9]+://",
            description="Where pictures are kept: `file:///directory`, or `s3://bucket/prefix` with the provider's own "
            "variables (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL` and so on).",
        ),
    ]
    demo_data: Annotated[
        bool, Meta(description="Loads demo products at the first start; development only.")
    ] = False

    @property
    def bands(self) -> tuple[int, ...]:
        return tuple(int(bound) for bound in self.price_bands.split(","))

    def __post_init__(self) -> None:
        if self.production and self.demo_data:
            raise SettingsError("DEMO_DATA must not be true in production")
        if self.store_currency not in EXPONENTS:
            raise SettingsError("STORE_CURRENCY is not a currency of ISO 4217")
        if list(self.bands) != sorted(set(self.bands)) or len(self.bands) > 20 or self.bands[-1] > 10**15:
            raise SettingsError("PRICE_BANDS must be at most 20 rising amounts")
