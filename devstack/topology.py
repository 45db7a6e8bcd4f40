"""The stack in one file: every part, how it is started, what it needs, what it is told.

The parts are declared in gatehouse.toml and run here as under compose: the same roles of PostgreSQL and
users of Redis, the same variables, order of start and health checks. What differs stands in `_told_here` (one machine's
ports in place of containers' names, mails and media below the state directory), postgres.py, redis.py and
secret_store.py.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

from devstack import environment, probes, service_settings
from devstack.command import Command
from devstack.declaration import Process, declaration
from devstack.gateway_part import gateway
from devstack.part import Part
from devstack.postgres import Postgres
from devstack.recovery import follower
from devstack.redis import Redis
from devstack.secret_store import Secrets
from devstack.settings import LOOPBACK, ROOT, Settings

DEMO_DATA = "true"
JWKS = "/.well-known/jwks.json"


def topology(settings: Settings, secrets: Secrets) -> list[Part]:
    """Every part, in the order in which people think of them."""
    found = declaration()
    postgres = server(settings, secrets)
    redis = cache(settings, secrets)
    plugins = tuple(plugin.name for plugin in found.plugins)
    own_postgres = _postgres(settings, postgres, secrets)
    own_redis = Part(
        name="redis",
        prepare=redis.prepare,
        command=redis.command,
        ready=probes.in_thread(redis.ready),
        ports=(redis.port,),
    )
    return [
        *([own_postgres] if settings.runs("postgres") else []),
        *([own_redis] if settings.runs("redis") else []),
        *(_part(process, settings, secrets) for process in found.of_kind("service", "aid")),
        *(_plugin(process, settings, secrets) for process in found.plugins),
        gateway(settings, gateway_values(settings), needs=plugins),
        *(_part(process, settings, secrets) for process in found.of_kind("front")),
    ]


def _postgres(settings: Settings, server: Postgres, secrets: Secrets) -> Part:
    """A standby region's is ready when it is promoted; so long whatever needs a database waits."""
    part = Part(
        name="postgres",
        prepare=server.prepare,
        command=server.command,
        ready=probes.in_thread(server.ready),
        finish=lambda: server.create_databases(declaration().stored, secrets),
        ports=(server.port,),
        stop_deadline=20,
    )
    if not settings.follows:
        return part
    return replace(
        part,
        prepare=lambda: follower.copy(server, settings.follows),
        ready=probes.in_thread(lambda: follower.takes_writes(server)),
        start_deadline=math.inf,
        note=f"follows {settings.follows} until `failover`",
    )


def server(settings: Settings, secrets: Secrets) -> Postgres:
    return Postgres(
        settings.state / "postgres",
        settings.ports["POSTGRES_PORT"],
        secrets["postgres_password"],
        options=follower.FOLLOWER if settings.follows else (),
    )


def cache(settings: Settings, secrets: Secrets) -> Redis:
    return Redis(
        settings.state / "redis", settings.ports["REDIS_PORT"], secrets["redis_password"], users=secrets
    )


def kept_files(settings: Settings) -> dict[str, Path]:
    """Where the files are that a backup holds, by the process that has them."""
    return {
        process.name: settings.state / process.files.volume
        for process in declaration().processes.values()
        if process.files and process.files.kept
    }


def gateway_values(settings: Settings) -> dict[str, str]:
    """The variables of kong.yml.template."""
    found, given = declaration(), settings.passed_on
    addresses = {f"{p.prefix}_URL": settings.found_at(p.port_variable) for p in found.routed}
    shared = {name: given.get(name) or setting.default for name, setting in found.settings.items()}
    named = ("TOKEN_ISSUER", "TOKEN_AUDIENCE", "IDEMPOTENCY_TTL")
    return {
        **addresses,
        **{name: value for name in named if (value := shared[name])},
        "AUTH_JWKS_URL": settings.found_at("AUTH_PORT") + JWKS,
    }


def public_origin(settings: Settings) -> str:
    return settings.passed_on.get("PUBLIC_ORIGIN") or f"http://localhost:{settings.ports['FRONTEND_PORT']}"


def _part(process: Process, settings: Settings, secrets: Secrets) -> Part:
    port = settings.ports[process.port_variable]
    return Part(
        name=process.name,
        command=lambda: Command(
            (sys.executable, "-m", process.package), env=told(process, settings, secrets), cwd=ROOT
        ),
        ready=probes.http(port, process.health),
        needs=_stores(process, settings),
        ports=(port,),
        url=settings.url(process.port_variable),
        metrics=metrics_address(process, settings),
    )


def _plugin(process: Process, settings: Settings, secrets: Secrets) -> Part:
    port = settings.ports[process.port_variable]
    socket = settings.plugins / f"{process.name}.socket"
    arguments = ("--socket", str(socket), "--dump-to", str(settings.plugins / f"{process.name}.json"))
    return Part(
        name=process.name,
        prepare=lambda: settings.plugins.mkdir(parents=True, exist_ok=True),
        command=lambda: Command(
            (sys.executable, "-m", "kong.plugins", process.name, *arguments, "--metrics-port", str(port)),
            env=told(process, settings, secrets),
            cwd=ROOT,
        ),
        ready=probes.unix_socket(socket),
        needs=_stores(process, settings),
        ports=(port,),
        metrics=metrics_address(process, settings),
    )


def _stores(process: Process, settings: Settings) -> tuple[str, ...]:
    """Those among the parts that it needs at its start."""
    return tuple(name for name in process.stores if settings.runs(name))


def metrics_address(process: Process, settings: Settings) -> str | None:
    """Where its metrics are; an aid has none."""
    if process.metrics_variable is None:
        return None
    return settings.url(process.metrics_variable) + "/metrics"


def told(process: Process, settings: Settings, secrets: Secrets) -> dict[str, str]:
    """The environment of a process: what its settings read, and nothing else."""
    found, given, reads = declaration(), settings.passed_on, service_settings.names_of(process)
    variables = {
        **environment.chosen(given, reads),
        "PYTHONUNBUFFERED": "1",
        "APP_ENV": given.get("APP_ENV") or "development",
    }
    for name, setting in found.settings.items():
        development = setting.development or (setting.secret if setting.given else None)
        value = given.get(name) or secrets.get(name.lower()) or development or setting.default
        if name in reads and value and f"{name}_FILE" not in variables:
            variables[name] = value
    variables |= {name: value for name, value in _told_here(process, settings).items() if name in reads}
    # Under the names of compose, and said here: `.env` may hold the passwords of compose's own stores.
    if process.database:
        prefix = process.database_variable
        postgres = settings.store("postgres")
        primary = "?target_session_attrs=read-write" if "," in postgres else ""
        variables[f"{prefix}_URL"] = f"postgresql://{process.database}@{postgres}/{process.database}{primary}"
        variables[f"{prefix}_PASSWORD"] = secrets[f"{prefix.lower()}_password"]
    if process.redis:
        variables["REDIS_URL"] = f"redis://{process.name}@{settings.store('redis')}/0"
        variables[process.redis_password] = secrets[process.redis_password.lower()]
    return variables


def _told_here(process: Process, settings: Settings) -> dict[str, str]:
    """What differs from compose: addresses on one machine."""
    found, given = declaration(), settings.passed_on
    return {
        "HOST": given.get("HOST") or LOOPBACK,
        process.port_variable: str(settings.ports[process.port_variable]),
        f"{process.prefix}_METRICS_PORT": str(settings.ports.get(f"{process.prefix}_METRICS_PORT", 0)),
        **{f"{p.prefix}_URL": settings.found_at(p.port_variable) for p in found.processes.values()},
        "GATEWAY_URL": settings.found_at("GATEWAY_PORT"),
        "AUTH_JWKS_URL": settings.found_at("AUTH_PORT") + JWKS,
        "PUBLIC_ORIGIN": public_origin(settings),
        **_files(process, settings),
        "STRIPE_URL": given.get("STRIPE_URL") or settings.found_at("SANDBOX_PORT"),
        "SANDBOX_PUBLIC_URL": f"http://localhost:{settings.ports['SANDBOX_PORT']}",
    }


def _files(process: Process, settings: Settings) -> dict[str, str]:
    """A directory below the state in place of a volume."""
    if process.files is None:
        return {}
    variable, directory = process.files.variable, settings.state / process.files.volume
    return {variable: settings.passed_on.get(variable) or directory.as_uri()}
