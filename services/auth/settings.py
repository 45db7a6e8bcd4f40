"""auth's settings (services/chassis/settings.py says how they are read)."""

import base64
import os
from typing import Annotated

from msgspec import Meta

from common import origins, redis_address
from common.client_address import Network, networks
from services.auth.adapters.hashing import Argon2Parameters
from services.auth.domain.sessions import Lifetimes
from services.auth.domain.throttling import Limit, Limits
from services.chassis.mail.settings import DEFAULT_SENDER, MailFrom, MailUrl, PublicOrigin, check_mail
from services.chassis.settings import (
    DatabaseUrl,
    DemoData,
    Env,
    IdempotencyTtl,
    InternalApiKey,
    PoolMax,
    ServiceSettings,
    SettingsError,
    StatementTimeout,
    check_demo_data,
)

_REGISTRATIONS_WINDOW = 3600
"""Seconds after an address' last registration until all of them are forgotten."""


class Settings(ServiceSettings, frozen=True, kw_only=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on."), Env("AUTH_PORT")] = 4000
    database_url: DatabaseUrl
    pool_max: PoolMax = 10
    """Two more than member's and catalog's: while a mail server is slow, its two targets each hold one."""
    statement_timeout: StatementTimeout = 5.0
    redis_url: Annotated[
        str,
        Meta(
            pattern="^rediss?://",
            description="Throttles, revocation log, `redis://user@host:port/0`; `rediss://` checks the certificate "
            "and its name (`?ssl_ca_certs=` names a file of authorities).",
        ),
        Env(secret=True, schemes=redis_address.SCHEMES, apart="AUTH_REDIS_PASSWORD"),
    ]
    member_url: Annotated[str, Meta(pattern="^https?://", description="Base URL of the member service.")]
    internal_api_key: InternalApiKey
    auth_key_encryption_key: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9+/]{43}=\Z",
            description="32 random bytes in base64: seals the signing keys, authenticates refresh tokens.",
        ),
        Env(secret=True),
    ]
    idempotency_ttl: IdempotencyTtl = 3600
    demo_data: DemoData = False

    access_token_seconds: Annotated[
        int, Meta(ge=60, le=840, description="Life of an access token, seconds.")
    ] = 600
    session_idle_seconds: Annotated[
        int, Meta(ge=900, description="A session ends so many seconds after its last refresh.")
    ] = 14 * 86400
    session_absolute_seconds: Annotated[
        int, Meta(ge=900, description="A session ends so many seconds after sign-in, whatever its use.")
    ] = 90 * 86400
    refresh_grace_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            description="For so long a repeated refresh token gets the same successor (two tabs).",
        ),
    ] = 10
    sessions_per_account: Annotated[
        int, Meta(ge=1, le=10_000, description="Beyond so many, the session that would end first makes room.")
    ] = 500

    argon2_m: Annotated[
        int, Meta(ge=8192, le=4_194_304, description="argon2id: memory, KiB (RFC 9106 `m`).")
    ] = 65536
    argon2_t: Annotated[int, Meta(ge=1, le=64, description="argon2id: passes (RFC 9106 `t`).")] = 3
    argon2_p: Annotated[int, Meta(ge=1, le=16, description="argon2id: lanes (RFC 9106 `p`).")] = 1
    argon2_threads: Annotated[int, Meta(ge=0, le=64, description="Hashes at once; 0 for one a core.")] = 0
    argon2_waiting: Annotated[
        int, Meta(ge=0, le=1000, description="Sign-ins that may wait for a hash; further ones get 503.")
    ] = 64

    login_free_failures: Annotated[
        int, Meta(ge=1, description="Failed sign-ins of one account before it has to wait.")
    ] = 10
    login_free_failures_per_address: Annotated[
        int, Meta(ge=1, description="Failed sign-ins from one address before it has to wait.")
    ] = 100
    login_wait_seconds: Annotated[
        int, Meta(ge=1, description="First wait; each further failure doubles it.")
    ] = 1
    login_longest_wait_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="No wait is longer: an owner is never locked out for good.")
    ] = 300
    login_failures_window_seconds: Annotated[
        int, Meta(ge=60, description="Failures are forgotten so long after the last one, seconds.")
    ] = 900
    guests_free_per_address: Annotated[
        int, Meta(ge=1, description="Guest sessions from one address within an hour before it has to wait.")
    ] = 1000
    registrations_free_per_address: Annotated[
        int, Meta(ge=1, description="Registrations from one address within an hour before it has to wait.")
    ] = 1000

    auth_trusted_proxies: Annotated[
        str,
        Meta(description="Networks, comma-separated, whose X-Forwarded-For is believed."),
    ] = "127.0.0.0/8,::1/128"

    public_origin: PublicOrigin = "http://localhost:3000"
    mail_url: MailUrl = "smtp://localhost:1025"
    mail_from: MailFrom = DEFAULT_SENDER
    password_reset_seconds: Annotated[int, Meta(ge=60, description="Life of a password link, seconds.")] = (
        1800
    )
    email_confirm_seconds: Annotated[
        int, Meta(ge=60, description="Life of a confirmation link, seconds.")
    ] = 86400

    def __post_init__(self) -> None:
        check_demo_data(production=self.production, demo_data=self.demo_data)
        if self.pool_max < 6:
            raise SettingsError("AUTH_POOL_MAX must be at least 6: its loops hold connections of their own")
        if self.session_idle_seconds > self.session_absolute_seconds:
            raise SettingsError("SESSION_IDLE_SECONDS must not exceed SESSION_ABSOLUTE_SECONDS")

        check_mail(self.public_origin, self.mail_from, production=self.production)
        try:
            networks(self.auth_trusted_proxies)
        except ValueError as fault:
            raise SettingsError("AUTH_TRUSTED_PROXIES is not a list of networks") from fault

    @property
    def master_key(self) -> bytes:
        return base64.b64decode(self.auth_key_encryption_key)

    @property
    def site(self) -> str:
        """The public origin in its normal form, which every mail program takes for a link."""
        return str(origins.of_setting(self.public_origin))

    @property
    def trusted_proxies(self) -> tuple[Network, ...]:
        return networks(self.auth_trusted_proxies)

    @property
    def lifetimes(self) -> Lifetimes:
        return Lifetimes(
            access=self.access_token_seconds,
            idle=self.session_idle_seconds,
            absolute=self.session_absolute_seconds,
            grace=self.refresh_grace_seconds,
        )

    @property
    def argon2(self) -> Argon2Parameters:
        return Argon2Parameters(t=self.argon2_t, m=self.argon2_m, p=self.argon2_p)

    @property
    def hashing_threads(self) -> int:
        return self.argon2_threads or os.cpu_count() or 1

    @property
    def limits(self) -> Limits:
        def limit(free: int, window: int) -> Limit:
            return Limit(
                free=free,
                first=self.login_wait_seconds,
                ceiling=self.login_longest_wait_seconds,
                window=window,
            )

        return Limits(
            account=limit(self.login_free_failures, self.login_failures_window_seconds),
            address=limit(self.login_free_failures_per_address, self.login_failures_window_seconds),
            registrations=limit(self.registrations_free_per_address, _REGISTRATIONS_WINDOW),
            guests=limit(self.guests_free_per_address, _REGISTRATIONS_WINDOW),
        )
