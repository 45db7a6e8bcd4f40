"""What the bff needs of its environment."""

from typing import Annotated

from msgspec import Meta

from services.chassis.settings import Env, TokenSettings


class Settings(TokenSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("BFF_PORT")] = 3001
    auth_url: Annotated[str, Meta(pattern=r"^https?://.*[^/]\Z", description="Base URL of auth.")]
    member_url: Annotated[str, Meta(pattern=r"^https?://.*[^/]\Z", description="Base URL of member.")]
    catalog_url: Annotated[str, Meta(pattern=r"^https?://.*[^/]\Z", description="Base URL of catalog.")]
    order_url: Annotated[str, Meta(pattern=r"^https?://.*[^/]\Z", description="Base URL of order.")]
    payment_url: Annotated[str, Meta(pattern=r"^https?://.*[^/]\Z", description="Base URL of payment.")]
    source_deadline: Annotated[
        float,
        Meta(gt=0, le=5, description="Seconds after which a screen goes on without a source."),
        Env("BFF_SOURCE_DEADLINE"),
    ] = 0.6
