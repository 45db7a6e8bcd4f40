"""Settings, read once from the environment into a frozen struct. What is wrong stops the start and is named.

The proxy has no secret and no store: what it needs to know of a visitor is in their cookies.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_type_hints
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from common import origins
from common.client_address import Network, networks
from common.origins import Origin

VARIABLES = {
    name: f"FRONTEND_{name.upper()}"
    for name in (
        "port",
        "trusted_proxies",
        "max_body",
        "max_connections",
        "connect_timeout",
        "upstream_timeout",
        "client_timeout",
        "metrics_host",
        "metrics_port",
    )
}
"""The variables that are not their field's name in upper case."""


ORIGINS = frozenset({"auth_url", "gateway_url", "public_origin"})
"""The fields that are origins; each is kept in its normal form."""


class SettingsError(Exception):
    """The environment is not complete or not right. The message names every variable concerned, no value."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the proxy needs."""

    auth_url: Annotated[str, Meta(description="Base URL of auth, for sign-in and renewal.")]
    gateway_url: Annotated[str, Meta(description="Base URL of Kong's proxy port.")]
    public_origin: Annotated[
        str, Meta(description="The one origin that browsers see; https:// and required in production.")
    ] = ""
    app_env: Annotated[
        Literal["development", "production"],
        Meta(description="`production`: Secure cookies with prefixed names, HSTS, and only the public host."),
    ] = "development"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Meta(description="Least level that is logged.")
    ] = "INFO"
    host: Annotated[str, Meta(description="Address to listen on; `0.0.0.0` inside a container.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Meta(ge=1, le=65535, description="Port to listen on.")] = 3000
    trusted_proxies: Annotated[
        str,
        Meta(description="Networks, comma-separated, of TLS terminators whose `X-Forwarded-*` are believed."),
    ] = ""
    time_zone: Annotated[str, Meta(description="IANA zone of the times that pages show.")] = "Asia/Seoul"
    max_body: Annotated[int, Meta(ge=1, description="Largest request body, in bytes.")] = 10 * 1024 * 1024
    max_connections: Annotated[
        int, Meta(ge=1, description="Connections served at once, and kept to upstreams at most.")
    ] = 1000
    connect_timeout: Annotated[float, Meta(gt=0, le=60, description="Seconds to connect to an upstream.")] = (
        2.0
    )
    upstream_timeout: Annotated[
        float, Meta(gt=0, le=3600, description="Longest silence of an upstream, in seconds.")
    ] = 30.0
    client_timeout: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Longest pause of a client in its body or in taking an answer, in seconds.",
        ),
    ] = 30.0

    metrics_port: Annotated[
        int,
        Meta(ge=0, le=65535, description="Port of `/metrics`, which is never on the public one; 0: none."),
    ] = 0
    metrics_host: Annotated[
        str, Meta(description="Address of `/metrics`; in a container that of an internal network.")
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
    hints = get_type_hints(Settings, include_extras=True)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in msgspec.structs.fields(Settings):
        name = VARIABLES.get(field.name, field.name.upper())
        text = environ.get(name, "").strip()
        if not text:
            if field.required:
                faults.append(f"{name} is not set")
            continue
        try:
            values[field.name] = _value(field.name, text, hints[field.name])
        except ValueError as fault:
            faults.append(f"{name} is not valid: {fault}")
    if faults:
        raise SettingsError("; ".join(faults))
    settings = Settings(**values)
    faults = list(_contradictions(settings))
    if faults:
        raise SettingsError("; ".join(faults))
    return settings


def _value(field: str, text: str, kind: Any) -> Any:
    """The field's value. Raises ValueError."""
    if field not in ORIGINS:
        return msgspec.convert(text, kind, strict=False)
    try:
        return str(origins.of_setting(text))
    except ValueError as fault:
        raise ValueError("expected http(s)://host[:port] without a path") from fault


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
    try:
        ZoneInfo(settings.time_zone)
    except (KeyError, ValueError, OSError):
        faults.append("TIME_ZONE is not valid: expected an IANA name such as Asia/Seoul")
    return faults
