"""What the payment service needs of its environment."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from services.chassis.settings import (
    DatabaseUrl,
    Env,
    IdempotencyTtl,
    InternalApiKey,
    PoolMax,
    SettingsError,
    StatementTimeout,
    TokenSettings,
)

STRIPE = "https://api.stripe.com"
SHORTEST, LONGEST = timedelta(minutes=31), timedelta(hours=24) - timedelta(minutes=1)
"""Of a page with Stripe, with a minute for clocks that differ."""
LONGER = timedelta(minutes=5)
_LIVE = ("sk_live_", "rk_live_")
_SANDBOX = "sk_test_sandbox"


class Settings(TokenSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("PAYMENT_PORT")] = (
        7100
    )
    database_url: DatabaseUrl
    pool_max: PoolMax = 12
    statement_timeout: StatementTimeout = 5.0
    idempotency_ttl: IdempotencyTtl = 3600
    order_url: Annotated[
        str, Meta(pattern="^https?://", description="The order service, which is told how payments are.")
    ] = "http://localhost:7000"
    internal_api_key: InternalApiKey
    stripe_secret_key: Annotated[
        str,
        Meta(
            pattern="^(sk|rk)_(test|live)_",
            description="Secret or restricted key of the Stripe account. Production refuses the sandbox's.",
        ),
        Env("STRIPE_SECRET_KEY", secret=True),
    ]
    stripe_webhook_secret: Annotated[
        str,
        Meta(
            description="Signing secret of the webhook endpoint, `whsec_…`. Empty: all webhooks are refused, and "
            "production does not start."
        ),
        Env("STRIPE_WEBHOOK_SECRET", secret=True),
    ] = ""
    stripe_webhook_secret_former: Annotated[
        str,
        Meta(description="The one before, for as long as it is rotated."),
        Env("STRIPE_WEBHOOK_SECRET_FORMER", secret=True),
    ] = ""
    stripe_url: Annotated[
        str, Meta(pattern="^https?://", description="Stripe's API; in development the sandbox provider's.")
    ] = STRIPE
    order_hold_seconds: Annotated[
        int,
        Meta(
            ge=60,
            le=86_400,
            description="Seconds for which order holds the stock of an unpaid order, as order has it: the "
            "provider's page lives a little longer, within what the provider allows.",
        ),
    ] = 900
    check_unfinished_every: Annotated[
        float,
        Meta(
            gt=0,
            le=86400,
            description="Seconds after which the provider is asked again about a payment that is not finished, at the "
            "latest: young ones are asked about sooner.",
        ),
        Env("PAYMENT_CHECK_UNFINISHED_EVERY"),
    ] = 600.0
    reconcile_every: Annotated[
        float,
        Meta(
            gt=0,
            le=604800,
            description="Seconds between two comparisons of the provider's list with the ledger.",
        ),
        Env("PAYMENT_RECONCILE_EVERY"),
    ] = 86400.0

    @property
    def session_lasts(self) -> timedelta:
        """Never shorter than the order's hold, so that no page ends first; whoever pays later is given it back."""
        return min(max(timedelta(seconds=self.order_hold_seconds) + LONGER, SHORTEST), LONGEST)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        return (self.stripe_webhook_secret, self.stripe_webhook_secret_former)

    def __post_init__(self) -> None:
        faults = []
        if self.pool_max < 4:
            faults.append("PAYMENT_POOL_MAX must be at least 4: its loops hold connections of their own")
        if urlsplit(self.stripe_url).path.strip("/"):
            faults.append("STRIPE_URL is an origin, without a path")
        if self.production:
            if self.stripe_url.startswith("http://"):
                faults.append("STRIPE_URL must be https in production")
            if self.stripe_secret_key.startswith(_SANDBOX):
                faults.append("STRIPE_SECRET_KEY is the sandbox's, which production refuses")
            if not self.stripe_webhook_secret:
                faults.append("STRIPE_WEBHOOK_SECRET is not set")
            if any("development" in secret or "sandbox" in secret for secret in self.webhook_secrets):
                faults.append("STRIPE_WEBHOOK_SECRET is the sandbox's, which production refuses")
        elif self.stripe_secret_key.startswith(_LIVE):
            faults.append("STRIPE_SECRET_KEY is a live key, which only production takes")
        if self.stripe_secret_key.startswith(_LIVE) and self.stripe_url != STRIPE:
            faults.append("STRIPE_URL is not Stripe's, and a live key is sent nowhere else")
        if faults:
            raise SettingsError("; ".join(faults))
