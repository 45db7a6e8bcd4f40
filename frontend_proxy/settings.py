"""Settings, read once from the environment into a frozen struct. What is wrong stops the start and is named.

The proxy has no secret and no store: what it needs to know of a visitor is in their cookies.
"""

from collections.abc import Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from common import origins
from common import settings as reader
from common.client_address import Network, networks
from common.money import EXPONENTS
from common.origins import Origin
from common.settings import Env, SettingsError
from common.telemetry.settings import DEFAULT_RATIO, OtlpEndpoint, SampleRatio

ORIGINS = frozenset({"auth_url", "gateway_url", "public_origin", "asset_origin", "media_origin"})
"""The fields that are origins; each is kept in its normal form."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the proxy needs."""

    auth_url: Annotated[str, Meta(description="Base URL of auth, for sign-in and renewal.")]
    gateway_url: Annotated[str, Meta(description="Base URL of Kong's proxy port.")]
    public_origin: Annotated[
        str, Meta(description="The one origin that browsers see; https:// and required in production.")
    ] = ""
    asset_origin: Annotated[
        str, Meta(description="Origin of a CDN that serves `/static`; this site itself where it is not set.")
    ] = ""
    media_origin: Annotated[
        str, Meta(description="Origin of a CDN that serves `/media`; this site itself where it is not set.")
    ] = ""
    app_env: Annotated[
        Literal["development", "production"],
        Meta(description="`production`: Secure cookies with prefixed names, HSTS, and only the public host."),
    ] = "development"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Meta(description="Least level that is logged.")
    ] = "INFO"
    otlp_endpoint: OtlpEndpoint = ""
    trace_sample_ratio: SampleRatio = DEFAULT_RATIO
    host: Annotated[str, Meta(description="Address to listen on; `0.0.0.0` inside a container.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Meta(ge=1, le=65535, description="Port to listen on."), Env("FRONTEND_PORT")] = 3000
    trusted_proxies: Annotated[
        str,
        Meta(description="Networks, comma-separated, of TLS terminators whose `X-Forwarded-*` are believed."),
        Env("FRONTEND_TRUSTED_PROXIES"),
    ] = ""
    time_zone: Annotated[str, Meta(description="IANA zone of the times that pages show.")] = "Asia/Seoul"
    store_currency: Annotated[
        str, Meta(description="ISO 4217; the currency in which shopkeepers type prices.")
    ] = "KRW"
    shipping_fee: Annotated[
        int, Meta(ge=0, le=10**12, description="What sending an order costs, as order charges it.")
    ] = 3000
    shipping_free_from: Annotated[
        int, Meta(ge=0, le=10**15, description="From this sum of goods on sending costs nothing; 0: never.")
    ] = 50_000
    max_body: Annotated[
        int, Meta(ge=1, description="Largest request body, in bytes."), Env("FRONTEND_MAX_BODY")
    ] = 10 * 1024 * 1024
    max_connections: Annotated[
        int,
        Meta(ge=1, description="Connections served at once, and kept to upstreams at most."),
        Env("FRONTEND_MAX_CONNECTIONS"),
    ] = 1000
    connect_timeout: Annotated[
        float,
        Meta(gt=0, le=60, description="Seconds to connect to an upstream."),
        Env("FRONTEND_CONNECT_TIMEOUT"),
    ] = 2.0
    upstream_timeout: Annotated[
        float,
        Meta(gt=0, le=3600, description="Longest silence of an upstream, in seconds."),
        Env("FRONTEND_UPSTREAM_TIMEOUT"),
    ] = 30.0
    client_timeout: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Longest pause of a client in its body or in taking an answer, in seconds.",
        ),
        Env("FRONTEND_CLIENT_TIMEOUT"),
    ] = 30.0

    metrics_port: Annotated[
        int,
        Meta(ge=0, le=65535, description="Port of `/metrics`, which is never on the public one; 0: none."),
        Env("FRONTEND_METRICS_PORT"),
    ] = 0
    metrics_host: Annotated[
        str,
        Meta(description="Address of `/metrics`; in a container that of an internal network."),
        Env("FRONTEND_METRICS_HOST"),
    ] = "127.0.0.1"

    @property
    def production(self) -> bool:
        return self.app_env == "production"

    @property
    def origin(self) -> Origin | None:
        """The public origin; None where it was not configured (development)."""
        return origins.of_setting(self.public_origin) if self.public_origin else None

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        return networks(self.trusted_proxies)


def read(environ: Mapping[str, str]) -> Settings:
    """Reads the settings from `environ`. Raises SettingsError, which names all that is missing or malformed
    at once."""
    settings = in_normal_form(reader.read(Settings, environ))
    faults = list(_contradictions(settings))
    if faults:
        raise SettingsError("; ".join(faults))
    return settings


def in_normal_form(settings: Settings) -> Settings:
    """Raises SettingsError."""
    changed: dict[str, str] = {}
    for field in ORIGINS:
        text: str = getattr(settings, field)
        try:
            changed[field] = str(origins.of_setting(text)) if text else ""
        except ValueError as fault:
            raise SettingsError(
                f"{field.upper()} is not valid: expected http(s)://host[:port] without a path"
            ) from fault
    return msgspec.structs.replace(settings, **changed)


def _contradictions(settings: Settings) -> list[str]:
    """What is wrong with the settings together."""
    faults: list[str] = []
    if settings.production and (settings.origin is None or settings.origin.scheme != "https"):
        faults.append("PUBLIC_ORIGIN must be an https:// origin in production")
    try:
        _ = settings.trusted_networks
    except ValueError:
        faults.append(
            "FRONTEND_TRUSTED_PROXIES is not valid: expected networks such as 10.0.0.0/8, comma-separated"
        )
    if settings.store_currency not in EXPONENTS:
        faults.append("STORE_CURRENCY is not valid: expected a currency of ISO 4217 such as KRW")
    try:
        ZoneInfo(settings.time_zone)
    except (KeyError, ValueError, OSError):
        faults.append("TIME_ZONE is not valid: expected an IANA name such as Asia/Seoul")
    return faults
