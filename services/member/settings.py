"""What the member service needs of its environment."""

from typing import Annotated

from msgspec import Meta

from services.chassis.settings import Env, SettingsError, TokenSettings


class Settings(TokenSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("MEMBER_PORT")] = (
        5000
    )
    database_url: Annotated[
        str,
        Meta(
            pattern="^postgres(ql)?://",
            description="The member database, `postgresql://user@host:port/name`.",
        ),
        Env(
            "MEMBER_DATABASE_URL",
            secret=True,
            schemes=("postgresql", "postgres"),
            apart="MEMBER_DATABASE_PASSWORD",
        ),
    ]
    pool_max: Annotated[
        int,
        Meta(ge=2, le=100, description="Most connections to the database, for each replica."),
        Env("MEMBER_POOL_MAX"),
    ] = 8
    statement_timeout: Annotated[
        float,
        Meta(gt=0, le=60, description="Seconds after which the database ends a statement."),
        Env("MEMBER_STATEMENT_TIMEOUT"),
    ] = 5.0
    auth_url: Annotated[str, Meta(pattern="^https?://.*[^/]$", description="Base URL of auth.")]
    internal_api_key: Annotated[
        str,
        Meta(min_length=16, description="Secret of `/internal/*`, the same in all services."),
        Env(secret=True),
    ]
    idempotency_ttl: Annotated[
        int, Meta(ge=1, le=604800, description="Seconds that the outcome of a keyed request is kept.")
    ] = 3600
    demo_data: Annotated[
        bool, Meta(description="Loads demo members at the first start; development only.")
    ] = False

    def __post_init__(self) -> None:
        if self.production and self.demo_data:
            raise SettingsError("DEMO_DATA must not be true in production")
