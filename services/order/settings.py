"""What the order service needs of its environment."""

import re
from email.utils import parseaddr
from typing import Annotated

from msgspec import Meta

from common import email_address, origins
from common.money import EXPONENTS
from services.chassis.settings import Env, SettingsError, TokenSettings
from services.order.domain.sums import ShippingRates


class Settings(TokenSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("ORDER_PORT")] = 7000
    database_url: Annotated[
        str,
        Meta(
            pattern="^postgres(ql)?://", description="The order database, `postgresql://user@host:port/name`."
        ),
        Env(
            "ORDER_DATABASE_URL",
            secret=True,
            schemes=("postgresql", "postgres"),
            apart="ORDER_DATABASE_PASSWORD",
        ),
    ]
    pool_max: Annotated[
        int,
        Meta(ge=6, le=100, description="Most connections to the database, for each replica."),
        Env("ORDER_POOL_MAX"),
    ] = 12
    statement_timeout: Annotated[
        float,
        Meta(gt=0, le=60, description="Seconds after which the database ends a statement."),
        Env("ORDER_STATEMENT_TIMEOUT"),
    ] = 5.0
    auth_url: Annotated[str, Meta(pattern="^https?://", description="auth's address.")]
    catalog_url: Annotated[str, Meta(pattern="^https?://", description="catalog's address.")]
    payment_url: Annotated[str, Meta(pattern="^https?://", description="payment's address.")]
    internal_api_key: Annotated[
        str,
        Meta(min_length=16, description="Secret of `/internal/*`, the same in all services."),
        Env(secret=True),
    ]
    idempotency_ttl: Annotated[
        int, Meta(ge=1, le=604800, description="Seconds that the outcome of a keyed request is kept.")
    ] = 3600
    public_origin: Annotated[
        str,
        Meta(description="The origin that browsers see; mailed links begin with it. https:// in production."),
    ]
    store_currency: Annotated[
        str, Meta(description="The store's one currency, ISO 4217; every price is in its minor unit.")
    ] = "KRW"
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
        str, Meta(description="Where the shop sends to: ISO 3166-1 codes, with commas between.")
    ] = "KR"
    order_hold_seconds: Annotated[
        int,
        Meta(ge=60, le=86_400, description="Seconds after which an order that is not paid is closed."),
    ] = 900
    mail_url: Annotated[
        str,
        Meta(
            pattern="^(smtps?|file)://",
            description="Where mails go: `smtp://[user@]host:port`, `smtps://…`, or `file:///folder`.",
        ),
        Env(secret=True, schemes=("smtp", "smtps"), apart="MAIL_PASSWORD"),
    ]
    mail_from: Annotated[str, Meta(min_length=3, description="Sender of the shop's mails.")] = (
        "Gatehouse <no-reply@gatehouse.example>"
    )

    def __post_init__(self) -> None:
        if self.store_currency not in EXPONENTS:
            raise SettingsError("STORE_CURRENCY is not a currency of ISO 4217")
        if not self.countries or not all(re.fullmatch("[A-Z]{2}", code) for code in self.countries):
            raise SettingsError("SHIPPING_COUNTRIES is not a list of country codes such as KR,JP")
        try:
            scheme = origins.of_setting(self.public_origin).scheme
        except ValueError as fault:
            raise SettingsError(
                "PUBLIC_ORIGIN is not valid: expected http(s)://host[:port] without a path"
            ) from fault
        if self.production and scheme != "https":
            raise SettingsError("PUBLIC_ORIGIN must be an https:// origin in production")
        try:
            email_address.normalise(parseaddr(self.mail_from)[1])
        except ValueError as fault:
            raise SettingsError("MAIL_FROM is not a sender such as Shop <no-reply@shop.example>") from fault

    @property
    def countries(self) -> frozenset[str]:
        return frozenset(code.strip() for code in self.shipping_countries.split(",") if code.strip())

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
