"""gatehouse.toml, read: every process of ours, and what follows from its entry.

Whoever needs a list of services, ports, databases, Redis users or secrets asks here; nothing else keeps one by hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

ROOT = Path(__file__).resolve().parent.parent
FILE = "gatehouse.toml"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_PUBLIC = re.compile(r"(?:[A-Z]+(?:,[A-Z]+)* )?~?/\S+")


Kind = Literal["service", "plugin", "front", "aid"]
_PACKAGES: Mapping[str, str] = {"service": "services.", "plugin": "kong.plugins."}
_LOCKS: Mapping[str, str] = {"service": "service", "plugin": "plugins", "front": "proxy", "aid": "sandbox"}


class DeclarationError(Exception):
    """What is wrong with gatehouse.toml, by its place."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file: an unknown field is a mistake."""


class Network(Table, frozen=True):
    """`range` is the part of the project's /24, as `96/28`; `note` who calls whom there."""

    range: str
    note: str


class Setting(Table, frozen=True):
    """The value of a variable, for each process whose settings read it. A `given` secret is never made up."""

    default: str | None = None
    development: str | None = None
    production: str | None = None
    small: str | None = None
    secret: str | None = None
    given: bool = False


class RedisUser(Table, frozen=True):
    """The process' user of Redis: the network to it, the keys that it may touch, and the commands (ACL rules)."""

    over: str
    keys: tuple[str, ...]
    rights: str
    note: str


class Memory(Table, frozen=True):
    """Limits of the container: in production, and on a small machine."""

    limit: str
    small: str


class Files(Table, frozen=True):
    """A named volume. What is in it is part of a backup where `kept`; `only` is the one mode that has it.

    `variable` is told the directory as a file:// URL, unless somebody sets it to something else.
    """

    volume: str
    path: str
    variable: str
    kept: bool = False
    only: Literal["development", "production"] | None = None


class Believes(Table, frozen=True):
    """Networks whose X-Forwarded-For is believed. An empty list leaves it to `.env`."""

    development: tuple[str, ...] = ()
    production: tuple[str, ...] = ()


class Process(Table, frozen=True):
    """One process.

    A service answers HTTP behind the gateway, a plugin serves Kong over a socket, browsers reach the front, an
    aid is for development alone. `calls` maps each callee to the network; stores are called where `database`, `redis`
    are. `public` are the routes that need no token, as `METHOD[,METHOD] PATH` with the path as in kong.yml.template.
    `prefix` begins its variables; `lock` is the requirements file of its image. `outbound` says whom it has to reach
    beyond the project. `health` is asked by compose and devstack; `replicas` is how many production starts with.
    """

    name: str
    kind: Kind
    port: int
    package: str
    prefix: str
    lock: str
    memory: Memory
    health: str = "/health/ready"
    metrics_port: int | None = None
    database: str | None = None
    redis: RedisUser | None = None
    calls: dict[str, str] = {}
    routed: bool = True
    public: tuple[str, ...] = ()
    replicas: int = 1
    files: Files | None = None
    outbound: str = ""
    believes: Believes | None = None

    @property
    def port_variable(self) -> str:
        return f"{self.prefix}_METRICS_PORT" if self.kind == "plugin" else f"{self.prefix}_PORT"

    @property
    def metrics_variable(self) -> str | None:
        """The variable of the port of its `/metrics`; an aid shows none."""
        if self.kind == "aid":
            return None
        return f"{self.prefix}_METRICS_PORT" if self.metrics_port else self.port_variable

    @property
    def database_variable(self) -> str:
        return f"{self.prefix}_DATABASE"

    @property
    def redis_password(self) -> str:
        return f"{self.prefix}_REDIS_PASSWORD"

    @property
    def stores(self) -> tuple[str, ...]:
        """The stores that it needs at its start."""
        return (*(("postgres",) if self.database else ()), *(("redis",) if self.redis else ()))


class Declaration(Table, frozen=True):
    """The whole file. `followers` is the Redis user of each service that declares none."""

    networks: dict[str, Network]
    followers: RedisUser
    settings: dict[str, Setting]
    processes: dict[str, Process]

    def of_kind(self, *kinds: str) -> list[Process]:
        return [process for process in self.processes.values() if process.kind in kinds]

    @property
    def services(self) -> list[Process]:
        return self.of_kind("service")

    @property
    def plugins(self) -> list[Process]:
        return self.of_kind("plugin")

    @property
    def routed(self) -> list[Process]:
        """Those that the gateway calls."""
        return [process for process in self.services if process.routed]

    @property
    def stored(self) -> list[Process]:
        """Those with a database."""
        return [process for process in self.processes.values() if process.database]

    def with_files(self, mode: str) -> list[tuple[Process, Files]]:
        """Those with a volume in this mode (development or production)."""
        every = [(process, process.files) for process in self.processes.values()]
        return [(process, files) for process, files in every if files and files.only in (None, mode)]

    @property
    def redis_users(self) -> list[Process]:
        return [process for process in self.processes.values() if process.redis]

    def secrets(self) -> dict[str, str]:
        """Each secret's variable, with its value for development. The file in production is its name in lower case."""
        return {
            "POSTGRES_PASSWORD": "development-postgres",
            "POSTGRES_EXPORTER_PASSWORD": "development-postgres-exporter",
            **{f"{p.database_variable}_PASSWORD": f"development-{p.name}" for p in self.stored},
            "REDIS_PASSWORD": "development-redis",
            "REDIS_EXPORTER_PASSWORD": "development-redis-exporter",
            **{p.redis_password: f"development-{p.name}" for p in self.redis_users},
            **{name: s.secret for name, s in self.settings.items() if s.secret is not None},
        }

    def is_given(self, secret: str) -> bool:
        """Whether a person has to give this secret, so that none is made up."""
        return secret in self.settings and self.settings[secret].given

    def deployed(self) -> Declaration:
        """What production has: no aids, and no networks that only they are on."""
        kept = {
            name: msgspec.structs.replace(
                process, calls={c: n for c, n in process.calls.items() if c == "kong" or not self._aid(c)}
            )
            for name, process in self.processes.items()
            if process.kind != "aid"
        }
        smaller = msgspec.structs.replace(self, processes=kept)
        used = set(smaller.calls().values())
        networks = {name: network for name, network in self.networks.items() if name in used}
        return msgspec.structs.replace(smaller, networks=networks)

    def _aid(self, name: str) -> bool:
        return name in self.processes and self.processes[name].kind == "aid"

    def calls(self) -> dict[tuple[str, str], str]:
        """(caller, callee) -> network, the gateway's and the stores' among them."""
        found = {("kong", process.name): "upstreams" for process in self.routed}
        for process in self.processes.values():
            found |= {(process.name, callee): network for callee, network in process.calls.items()}
            if process.database:
                found[process.name, "postgres"] = "databases"
            if process.redis:
                found[process.name, "redis"] = process.redis.over
        return found

    def networks_of(self, name: str) -> list[str]:
        """The networks on which it calls or is called, in the file's order."""
        used = {network for pair, network in self.calls().items() if name in pair}
        return [network for network in self.networks if network in used]

    def called_on(self, name: str) -> list[str]:
        """The networks that it shares with a caller: Docker's DNS answers with its address on any of them."""
        callers = [caller for caller, callee in self.calls() if callee == name]
        shared = {network for caller in callers for network in self.networks_of(caller)}
        return [network for network in self.networks_of(name) if network in shared]


def read(file: Path) -> Declaration:
    """Raises DeclarationError."""
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        for name, table in content.get("processes", {}).items():
            _complete(name, table, content.get("followers"))
        found = msgspec.convert(content, Declaration)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        raise DeclarationError(f"{file.name}: {fault}") from fault
    faults = [f"{file.name}: {fault}" for fault in _faults(found)]
    if faults:
        raise DeclarationError("\n".join(faults))
    return found


def _complete(name: str, table: dict[str, Any], follower: object) -> None:
    """What an entry leaves out because it follows from its name and kind."""
    kind, plain = str(table.get("kind")), name.replace("-", "_")
    table["name"] = name
    table.setdefault("package", _PACKAGES.get(kind, "") + plain)
    table.setdefault("prefix", plain.upper())
    table.setdefault("lock", _LOCKS.get(kind, ""))
    if kind == "service":
        table.setdefault("redis", follower)


@cache
def declaration() -> Declaration:
    """This checkout's."""
    return read(ROOT / FILE)


def _faults(found: Declaration) -> list[str]:
    faults: list[str] = []
    ports: dict[int, str] = {}
    names: dict[str, str] = {}
    for name, process in found.processes.items():
        at = f"processes.{name}"
        if not _NAME.fullmatch(name):
            faults.append(f"{at}: a name is small letters, digits and single hyphens or underscores")
        for port in (process.port, process.metrics_port):
            if port is not None and port in ports:
                faults.append(f"{at}: port {port} is {ports[port]}'s")
            if port is not None:
                ports[port] = name
        for what, value in (("prefix", process.prefix), ("database", process.database)):
            key = f"{what} {value}"
            if value and key in names:
                faults.append(f"{at}: the {key} is {names[key]}'s")
            names[key] = name
        if process.database and not re.fullmatch(r"[a-z][a-z0-9_]*", process.database):
            faults.append(f"{at}: database {process.database} is not a plain name")
        callees = {*found.processes, "kong"}
        faults += [f"{at}: calls {c}, which is nobody" for c in process.calls if c not in callees]
        over = [*process.calls.values(), *((process.redis.over,) if process.redis else ())]
        faults += [f"{at}: there is no network {n}" for n in over if n not in found.networks]
        faults += [f"{at}: public {p!r}: METHOD PATH" for p in process.public if not _PUBLIC.fullmatch(p)]
    return faults


def by_address(found: Declaration) -> Mapping[str, Process]:
    """Each service by `host:port`, as the gateway's template names it."""
    return {f"{process.name}:{process.port}": process for process in found.services}
