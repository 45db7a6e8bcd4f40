"""What the order service needs of its environment."""

import re
from typing import Annotated

from msgspec import Meta

from common import origins
from common.money import charged_in
from services.chassis.mail.settings import DEFAULT_SENDER, MailFrom, MailUrl, PublicOrigin, check_mail
from services.chassis.settings import (
    DatabaseUrl,
    Env,
    IdempotencyTtl,
    InternalApiKey,
    PoolMax,
    SettingsError,
    StatementTimeout,
    StoreCurrency,
    TokenSettings,
    check_currency,
)
from services.order.domain.sums import ShippingRates


class Settings(TokenSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("ORDER_PORT")] = 7000
    database_url: DatabaseUrl
    pool_max: PoolMax = 12
    statement_timeout: StatementTimeout = 5.0
    auth_url: Annotated[str, Meta(pattern="^https?://", description="auth's address.")]
    catalog_url: Annotated[str, Meta(pattern="^https?://", description="catalog's address.")]
    payment_url: Annotated[str, Meta(pattern="^https?://", description="payment's address.")]
    internal_api_key: InternalApiKey
    idempotency_ttl: IdempotencyTtl = 3600
    public_origin: PublicOrigin
    store_currency: StoreCurrency = "KRW"
    vat_rate_standard: Annotated[
        int, Meta(ge=0, le=10_000, description="VAT within the shipping fee, in basis points.")
    ] = 1000
    shipping_fee: Annotated[
        int, Meta(ge=0, le=10**12, description="What sending an order costs, VAT included, in minor units.")
    ] = 3000
    shipping_free_from: Annotated[
        int,
        Meta(
            ge=0,
            le=10**15,
            description="From this sum of goods on sending costs nothing; 0: it always costs.",
        ),
    ] = 50_000
    shipping_countries: Annotated[
        str,
        Meta(
            description="Where the shop sends to: ISO 3166-1 codes, with commas between, the usual one first."
        ),
    ] = "KR"
    order_hold_seconds: Annotated[
        int,
        Meta(ge=60, le=86_400, description="Seconds after which an order that is not paid is closed."),
    ] = 900
    mail_url: MailUrl
    mail_from: MailFrom = DEFAULT_SENDER

    def __post_init__(self) -> None:
        if self.pool_max < 6:
            raise SettingsError("ORDER_POOL_MAX must be at least 6: its loops hold connections of their own")
        check_currency(self.store_currency)
        step = charged_in(self.store_currency)
        if self.shipping_fee % step:
            raise SettingsError(
                f"SHIPPING_FEE must be a multiple of {step}: cards are charged in no other amounts of "
                f"{self.store_currency}"
            )
        if not self.countries or not all(re.fullmatch("[A-Z]{2}", code) for code in self.countries):
            raise SettingsError("SHIPPING_COUNTRIES is not a list of country codes such as KR,JP")
        check_mail(self.public_origin, self.mail_from, production=self.production)

    @property
    def countries(self) -> tuple[str, ...]:
        codes = (code.strip() for code in self.shipping_countries.split(","))
        return tuple(dict.fromkeys(code for code in codes if code))

    @property
    def site(self) -> str:
        return str(origins.of_setting(self.public_origin))

    @property
    def rates(self) -> ShippingRates:
        return ShippingRates(
            fee=self.shipping_fee,
            free_from=self.shipping_free_from or None,
            countries=self.countries,
            vat_rate=self.vat_rate_standard,
        )
