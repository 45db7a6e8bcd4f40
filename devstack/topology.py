"""The stack in one file: every part, how it is started, what it needs, what it is told."""

from __future__ import annotations

import sys

from devstack import environment, probes, service_settings
from devstack.command import Command
from devstack.gateway_part import gateway
from devstack.part import Part
from devstack.postgres import Postgres
from devstack.redis import Redis
from devstack.secret_store import Secrets
from devstack.settings import LOOPBACK, ROOT, Settings

DATABASES = ("auth", "member", "catalog")
PLUGINS = ("token-validator", "idempotency")
DEMO_DATA = "true"
ISSUER = "https://gatehouse.local/auth"
AUDIENCE = "gatehouse"


def topology(settings: Settings, secrets: Secrets) -> list[Part]:
    """Every part, in the order in which people think of them."""
    given = settings.passed_on
    postgres = Postgres(
        settings.state / "postgres", settings.ports["POSTGRES_PORT"], secrets.postgres_password
    )
    redis = Redis(settings.state / "redis", settings.ports["REDIS_PORT"], secrets.redis_password)

    common = {
        "PYTHONUNBUFFERED": "1",
        "APP_ENV": given.get("APP_ENV") or "development",
        "LOG_LEVEL": given.get("LOG_LEVEL") or "INFO",
        "HOST": given.get("HOST") or LOOPBACK,
    }
    origin = given.get("PUBLIC_ORIGIN") or f"http://localhost:{settings.ports['FRONTEND_PORT']}"
    addresses = {
        "AUTH_URL": settings.url("AUTH_PORT"),
        "MEMBER_URL": settings.url("MEMBER_PORT"),
        "BFF_URL": settings.url("BFF_PORT"),
        "CATALOG_URL": settings.url("CATALOG_PORT"),
        "GATEWAY_URL": settings.url("GATEWAY_PORT"),
        "PUBLIC_ORIGIN": origin,
        "PUBLIC_URL": origin,
    }
    tokens = {
        "TOKEN_ISSUER": given.get("TOKEN_ISSUER") or ISSUER,
        "TOKEN_AUDIENCE": given.get("TOKEN_AUDIENCE") or AUDIENCE,
        "AUTH_JWKS_URL": f"{addresses['AUTH_URL']}/.well-known/jwks.json",
        "IDEMPOTENCY_TTL": given.get("IDEMPOTENCY_TTL") or "3600",
    }
    # Under the names of compose, and said again here: `.env` may hold the passwords of compose's own stores.
    cache = {"REDIS_URL": redis.url()} | {
        f"{client}_REDIS_PASSWORD": redis.password for client in ("AUTH", "TOKEN_VALIDATOR", "IDEMPOTENCY")
    }
    internal = {"INTERNAL_API_KEY": given.get("INTERNAL_API_KEY") or secrets.internal_api_key}
    encryption = {
        "AUTH_KEY_ENCRYPTION_KEY": given.get("AUTH_KEY_ENCRYPTION_KEY") or secrets.auth_key_encryption_key
    }
    mail = {"MAIL_URL": given.get("MAIL_URL") or (settings.state / "mail").as_uri()}
    demo = {"DEMO_DATA": given.get("DEMO_DATA") or DEMO_DATA}

    def python(
        name: str, module: str, port_variable: str, needs: tuple[str, ...], *told: dict[str, str]
    ) -> Part:
        port = settings.ports[port_variable]
        settings_of_its_own = environment.chosen(given, service_settings.names(name))
        variables = {**settings_of_its_own, **common, port_variable: str(port)}
        for values in told:
            variables.update(values)
        return Part(
            name=name,
            command=lambda: Command((sys.executable, "-m", module), env=variables, cwd=ROOT),
            ready=probes.http(port, "/health/ready"),
            needs=needs,
            ports=(port,),
            url=settings.url(port_variable),
        )

    def database(name: str) -> dict[str, str]:
        prefix = f"{name.upper()}_DATABASE"
        return {f"{prefix}_URL": postgres.url(name), f"{prefix}_PASSWORD": postgres.password}

    def plugin(name: str) -> Part:
        variable = f"{name.upper().replace('-', '_')}_METRICS_PORT"
        port = settings.ports[variable]
        socket = settings.plugins / f"{name}.socket"
        arguments = ("--socket", str(socket), "--dump-to", str(settings.plugins / f"{name}.json"))
        return Part(
            name=name,
            prepare=lambda: settings.plugins.mkdir(parents=True, exist_ok=True),
            command=lambda: Command(
                (sys.executable, "-m", "kong.plugins", name, *arguments, "--metrics-port", str(port)),
                env={**common, **cache},
                cwd=ROOT,
            ),
            ready=probes.unix_socket(socket),
            needs=("redis",),
            ports=(port,),
        )

    def create_databases() -> None:
        for name in DATABASES:
            postgres.ensure_database(name)

    return [
        Part(
            name="postgres",
            prepare=postgres.prepare,
            command=postgres.command,
            ready=probes.in_thread(postgres.ready),
            finish=create_databases,
            ports=(postgres.port,),
            stop_deadline=20,
        ),
        Part(
            name="redis",
            prepare=redis.prepare,
            command=redis.command,
            ready=probes.in_thread(redis.ready),
            ports=(redis.port,),
        ),
        python(
            *("auth", "services.auth", "AUTH_PORT", ("postgres", "redis")),
            *(addresses, tokens, cache, internal, encryption, mail, demo, database("auth")),
        ),
        python(
            *("member", "services.member", "MEMBER_PORT", ("postgres",)),
            *(addresses, tokens, internal, demo, database("member")),
        ),
        python(
            *("catalog", "services.catalog", "CATALOG_PORT", ("postgres",)),
            *(tokens, internal, demo, database("catalog")),
        ),
        python("bff", "services.bff", "BFF_PORT", ("auth",), addresses, tokens),
        *(plugin(name) for name in PLUGINS),
        gateway(settings, {**addresses, **tokens}, needs=PLUGINS),
        python(
            *("frontend_proxy", "frontend_proxy", "FRONTEND_PORT", ("auth", "kong")),
            *(addresses, {"FRONTEND_METRICS_PORT": str(settings.ports["FRONTEND_METRICS_PORT"])}),
        ),
    ]
