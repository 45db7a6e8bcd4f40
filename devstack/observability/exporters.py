"""What PostgreSQL and Redis say of themselves: an exporter beside each, as a role that can read no data of ours.

Debian's, where they are installed; a Prometheus without them has all else. Passwords are in their environment,
where no process list shows them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from devstack.command import Command
from devstack.declaration import ROOT
from devstack.secret_store import Secrets
from devstack.settings import LOOPBACK, Settings

ROLE = "exporter"
"""Of deploy/postgres/create-databases.sh and deploy/redis/users.acl."""
QUERIES = ROOT / "deploy/observability/postgres-queries.yaml"
MAY_BE_MISSING = "what the store's exporter says, where one runs"
"""Why a query of theirs may have no series on a stack that is well."""


@dataclass(frozen=True)
class Exporter:
    """`store` is its job's name too; `port` is its port under compose, `port_variable` that of `make observe`."""

    store: str
    package: str
    port: int
    port_variable: str

    @property
    def host(self) -> str:
        """Its name under compose, on the network of Prometheus alone."""
        return f"{self.store}-exporter-own"

    def missing(self, settings: Settings) -> str:
        """Why it does not run beside this stack; empty where it does."""
        if not settings.runs(self.store):
            return f"{self.store} is somebody else's (DEVSTACK_{self.store.upper()})"
        if shutil.which(self.package) is None:
            return f"{self.package} is not on this machine: apt-get install {self.package}"
        return ""

    def command(self, settings: Settings, secrets: Secrets) -> Command:
        listens = f"{LOOPBACK}:{settings.ports[self.port_variable]}"
        flag = "--web.listen-address" if self.store == "postgres" else "-web.listen-address"
        told = _TOLD[self.store](settings.store(self.store), secrets[f"{self.store}_exporter_password"])
        return Command((self.package, f"{flag}={listens}"), env=dict(told))


def _of_postgres(address: str, password: str) -> Mapping[str, str]:
    return {
        "DATA_SOURCE_URI": f"{address}/postgres?sslmode=disable",
        "DATA_SOURCE_USER": ROLE,
        "DATA_SOURCE_PASS": password,
        "PG_EXPORTER_AUTO_DISCOVER_DATABASES": "true",
        "PG_EXPORTER_DISABLE_DEFAULT_METRICS": "true",
        "PG_EXPORTER_DISABLE_SETTINGS_METRICS": "true",
        "PG_EXPORTER_EXTEND_QUERY_PATH": str(QUERIES),
    }


def _of_redis(address: str, password: str) -> Mapping[str, str]:
    return {
        "REDIS_ADDR": f"redis://{address}",
        "REDIS_USER": ROLE,
        "REDIS_PASSWORD": password,
        "REDIS_EXPORTER_CONFIG_COMMAND": "-",  # Redis' settings are not for it to read
    }


_TOLD = {"postgres": _of_postgres, "redis": _of_redis}

EXPORTERS = (
    Exporter("postgres", "prometheus-postgres-exporter", 9187, "POSTGRES_EXPORTER_PORT"),
    Exporter("redis", "prometheus-redis-exporter", 9121, "REDIS_EXPORTER_PORT"),
)
