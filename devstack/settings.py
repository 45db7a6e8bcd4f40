"""Where the stack lives and on which ports, read once from the environment and `.env`."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.declaration import declaration
from devstack.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
# A Unix socket's path has room for 107 bytes on Linux and 103 on macOS; Kong's own are 40 below its prefix.
SOCKET_DIRECTORY_LIMIT = 60
# What nginx, Kong's configuration and a shell take as it is; anything else would have to be quoted for each of them.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")
# Not TMPDIR, so that a stack is found from every shell. Whose the directory is, is checked before it is used.
SHORT_DIRECTORY = Path("/tmp")  # noqa: S108

DEFAULT_PORTS = {
    "GATEWAY_PORT": 8000,
    "GATEWAY_ADMIN_PORT": 8001,
    # Kong's own metrics.
    "GATEWAY_STATUS_PORT": 8100,
    # Of `make observe`, beside the stack.
    "PROMETHEUS_PORT": 9090,
    "ALERTMANAGER_PORT": 9093,
    "POSTGRES_EXPORTER_PORT": 9187,
    "REDIS_EXPORTER_PORT": 9121,
    # Beside the stores that the machine may have.
    "POSTGRES_PORT": 15432,
    "REDIS_PORT": 16379,
    **{process.port_variable: process.port for process in declaration().processes.values()},
    **{
        f"{process.prefix}_METRICS_PORT": process.metrics_port
        for process in declaration().processes.values()
        if process.metrics_port
    },
}


@dataclass(frozen=True)
class Settings:
    """`state` holds data, logs and secrets; `runtime` the sockets; `passed_on` is the environment."""

    state: Path
    runtime: Path
    ports: Mapping[str, int]
    passed_on: Mapping[str, str]

    @property
    def control_socket(self) -> Path:
        return self.runtime / "control.socket"

    @property
    def plugins(self) -> Path:
        return self.runtime / "plugins"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def secrets_file(self) -> Path:
        return self.state / "secrets.json"

    @property
    def rendered(self) -> Path:
        """kong.yml, with the variables' values: beside the state, unless Kong could not be told that path."""
        return (self.state if self.runtime.parent == self.state else self.runtime) / "kong.yml"

    @property
    def gateway_state(self) -> Path:
        """The last configuration that was in force."""
        return self.state / "gateway"

    @property
    def lock_file(self) -> Path:
        return self.state / "lock"

    @property
    def process_list(self) -> Path:
        return self.state / "processes.json"

    @property
    def follows(self) -> str:
        """DEVSTACK_FOLLOWS: the PostgreSQL of another region, `host:port`, of which this stack is the standby."""
        return self.passed_on.get("DEVSTACK_FOLLOWS") or ""

    def runs(self, store: str) -> bool:
        """Whether it is among the parts; DEVSTACK_POSTGRES and DEVSTACK_REDIS name those that somebody else runs."""
        return not self.passed_on.get(f"DEVSTACK_{store.upper()}")

    def store(self, name: str) -> str:
        """Where it is, `host:port`; of PostgreSQL also a primary and its standby, with a comma between."""
        variable = name.upper()
        return self.passed_on.get(f"DEVSTACK_{variable}") or f"{LOOPBACK}:{self.ports[f'{variable}_PORT']}"

    def found_at(self, port_variable: str) -> str:
        """Where others call the part; DEVSTACK_MEMBER_URL and so on name a balancer in front of several."""
        return self.passed_on.get(f"DEVSTACK_{port_variable.removesuffix('_PORT')}_URL") or self.url(
            port_variable
        )

    def url(self, port_variable: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[port_variable]}"


def read(environment: Mapping[str, str]) -> Settings:
    """DEVSTACK_DIR, DEVSTACK_PORT_OFFSET (added to every default port) and the ports' own variables.

    Raises SettingsError with the variable's name.
    """
    found = locate(environment)
    return Settings(found.state, found.runtime, _ports(environment), found.passed_on)


def locate(environment: Mapping[str, str]) -> Settings:
    """Where the stack is, whatever else the environment says: enough to look at it and to stop it.

    Its ports are the usual ones.
    """
    # The real path: the same directory reached through a link is the same stack.
    state = Path(os.path.realpath(environment.get("DEVSTACK_DIR") or ROOT / ".devstack"))
    return Settings(state, _runtime_directory(state), DEFAULT_PORTS, dict(environment))


def _ports(environment: Mapping[str, str]) -> dict[str, int]:
    offset = _whole_number("DEVSTACK_PORT_OFFSET", environment.get("DEVSTACK_PORT_OFFSET") or "0")
    ports = {
        name: _port(name, environment[name] if environment.get(name) else str(default + offset))
        for name, default in DEFAULT_PORTS.items()
    }
    by_port: dict[int, str] = {}
    for name, port in ports.items():
        if port in by_port:
            raise SettingsError(f"{name} and {by_port[port]} are both {port}")
        by_port[port] = name
    return ports


def _runtime_directory(state: Path) -> Path:
    """Below `state`; a short, plain path of its own if that is too long for sockets or would have to be quoted.

    It follows from `state` and its owner alone, so that every shell finds the same.
    """
    own = state / "run"
    if len(os.fsencode(own)) <= SOCKET_DIRECTORY_LIMIT and PLAIN_PATH.fullmatch(str(own)):
        return own
    name = hashlib.sha256(os.fsencode(state)).hexdigest()[:10]
    try:
        owner = state.stat().st_uid  # root may stop a user's stack
    except OSError:
        owner = os.geteuid()
    return SHORT_DIRECTORY / f"gatehouse-{owner}-{name}"


def _port(name: str, text: str) -> int:
    number = _whole_number(name, text)
    if not 1 <= number <= 65535:
        raise SettingsError(f"{name} is {number}: a port is between 1 and 65535")
    return number


def _whole_number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}: not a whole number") from None
