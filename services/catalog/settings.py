"""What the catalog service needs of its environment."""

from typing import Annotated

from msgspec import Meta

from services.chassis.settings import (
    DatabaseUrl,
    DemoData,
    Env,
    IdempotencyTtl,
    InternalApiKey,
    PoolMax,
    SettingsError,
    StatementTimeout,
    StoreCurrency,
    TokenSettings,
    check_currency,
    check_demo_data,
)


class Settings(TokenSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("CATALOG_PORT")] = (
        3002
    )
    database_url: DatabaseUrl
    pool_max: PoolMax = 8
    statement_timeout: StatementTimeout = 5.0
    internal_api_key: InternalApiKey
    idempotency_ttl: IdempotencyTtl = 3600
    store_currency: StoreCurrency = "KRW"
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
            pattern=r"^[0-9]+(,[0-9]+)*\Z",
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
            description="Where pictures are kept: `file:///directory`, or `s3://bucket/prefix`.",
        ),
    ]
    aws_endpoint_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://.*)?\Z",
            description="The object store, where it is not Amazon's; `http://` only on a network of one's own.",
        ),
    ] = ""
    aws_region: Annotated[str, Meta(description="The bucket's region.")] = ""
    aws_access_key_id: Annotated[
        str,
        Meta(description="The key to the bucket. Without one, the machine's own role is asked for."),
        Env(secret=True),
    ] = ""
    aws_secret_access_key: Annotated[str, Meta(description="The secret of that key."), Env(secret=True)] = ""
    demo_data: DemoData = False

    @property
    def object_store(self) -> dict[str, str]:
        """What obstore wants to know of an object store; what is not set it finds as the provider's tools do."""
        given = {
            "aws_endpoint_url": self.aws_endpoint_url,
            "aws_region": self.aws_region,
            "aws_access_key_id": self.aws_access_key_id,
            "aws_secret_access_key": self.aws_secret_access_key,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def bands(self) -> tuple[int, ...]:
        return tuple(int(bound) for bound in self.price_bands.split(","))

    def __post_init__(self) -> None:
        check_demo_data(production=self.production, demo_data=self.demo_data)
        check_currency(self.store_currency)
        if list(self.bands) != sorted(set(self.bands)) or len(self.bands) > 20 or self.bands[-1] > 10**15:
            raise SettingsError("PRICE_BANDS must be at most 20 rising amounts")
