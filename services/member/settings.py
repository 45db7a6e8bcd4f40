"""What the member service needs of its environment."""

from typing import Annotated

from msgspec import Meta

from services.chassis.settings import (
    DatabaseUrl,
    DemoData,
    Env,
    IdempotencyTtl,
    InternalApiKey,
    PoolMax,
    StatementTimeout,
    TokenSettings,
    check_demo_data,
)


class Settings(TokenSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("MEMBER_PORT")] = (
        5000
    )
    database_url: DatabaseUrl
    pool_max: PoolMax = 8
    statement_timeout: StatementTimeout = 5.0
    auth_url: Annotated[str, Meta(pattern=r"^https?://.*[^/]\Z", description="Base URL of auth.")]
    internal_api_key: InternalApiKey
    idempotency_ttl: IdempotencyTtl = 3600
    demo_data: DemoData = False

    def __post_init__(self) -> None:
        check_demo_data(production=self.production, demo_data=self.demo_data)
