"""The compose files' blocks: processes, their networks, passwords and limits.

deploy/compose.base.yaml says what each process is; compose.yaml and compose.prod.yaml what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from devstack.declaration import Declaration, Process
from devstack.generate.blocks import Blocks
from devstack.service_settings import names_of

BASE = "deploy/compose.base.yaml"
TOKENS = ("TOKEN_ISSUER", "TOKEN_AUDIENCE", "AUTH_JWKS_URL")
"""What the anchor `tokens` of the base file gives."""

_TARGETS = {"service": "service", "plugin": "plugins", "front": "proxy"}
"""An aid has one of its own name."""
_WATCHED = {"service": "services", "plugin": "kong/plugins"}


def blocks(found: Declaration) -> Mapping[str, Blocks]:
    """By file and name."""
    deployed = found.deployed()
    plugins = [f"{p.name}: {{ condition: service_healthy }}" for p in found.plugins]
    databases = " ".join(f"{p.database}:{p.database_variable}_PASSWORD" for p in found.stored)
    return {
        BASE: {
            "addresses": [f"{p.prefix}_URL: {url(p)}" for p in found.routed],
            "processes": _spaced(_base(found, p) for p in found.processes.values()),
            "databases": [f"DATABASES: {databases}"],
        },
        "compose.yaml": {
            "plugins": plugins,
            "processes": _spaced(_development(found, p) for p in found.processes.values()),
            "database passwords": [
                _development_secret(found, f"{p.database_variable}_PASSWORD") for p in found.stored
            ],
            "redis passwords": [_development_secret(found, p.redis_password) for p in found.redis_users],
            "forwards": [f"- {p.port}={p.name}:{p.port}" for p in _reachable(found)],
            "ports": [f"- 127.0.0.1:${{{p.port_variable}:-{p.port}}}:{p.port}" for p in _reachable(found)],
            "networks": _networks(found),
            "volumes": _volumes(found, "development"),
        },
        "compose.prod.yaml": {
            "plugins": plugins,
            "processes": _spaced(_production(deployed, p) for p in deployed.processes.values()),
            "database passwords": [_file(f"{p.database_variable}_PASSWORD") for p in found.stored],
            "database secrets": [f"- {p.database_variable.lower()}_password" for p in found.stored],
            "redis passwords": [_file(p.redis_password) for p in found.redis_users],
            "redis secrets": [f"- {p.redis_password.lower()}" for p in found.redis_users],
            "networks": _networks(deployed),
            "volumes": _volumes(found, "production"),
            "secrets": [
                f'{name.lower()}: {{ file: "${{SECRETS_DIR:-./secrets}}/{name.lower()}" }}'
                for name in found.secrets()
            ],
        },
        "compose.small.yaml": {
            "processes": [line for p in deployed.processes.values() for line in _small(deployed, p)]
        },
        "deploy/compose.standby.yaml": {
            "addresses": [
                f'{p.name}: {{ environment: {{ {p.database_variable}_URL: "{_replicated_url(p)}" }} }}'
                for p in found.stored
            ]
        },
    }


def url(process: Process) -> str:
    return f"http://{process.name}:{process.port}"


def _base(found: Declaration, process: Process) -> Iterator[str]:
    """What a process is, wherever it runs."""
    image = process.name.replace("_", "-")
    arguments = f"LOCK: {process.lock}"
    if process.kind == "service":
        arguments += f", SERVICE: {process.name}"
    if process.files:
        arguments += f", FILES: {process.files.path}"
    yield f"{process.name}:"
    yield f"  <<: *{process.kind}"
    labels = [_called_on(_announced_on(found if process.kind == "aid" else found.deployed(), process))]
    if process.files and process.files.kept:
        labels.append(f"gatehouse.files: {process.files.path}")
    yield f"  labels: {{ {', '.join(labels)} }}"
    yield f"  image: ${{REGISTRY:-localhost}}/gatehouse-{image}:${{GATEHOUSE_TAG:-dev}}"
    yield (
        f"  build: {{ context: .., dockerfile: deploy/Dockerfile, target: {_TARGETS.get(process.kind, process.name)}, "
        f"args: {{ {arguments} }} }}"
    )
    if process.kind == "plugin":
        yield f'  command: ["plugin-server", "{process.name}"]'
    yield "  environment:"
    yield from (f"    {line}" for line in _base_environment(found, process))


def _base_environment(found: Declaration, process: Process) -> Iterator[str]:
    reads = names_of(process)
    for name, setting in found.settings.items():
        if setting.default is not None and name in reads and name not in TOKENS:
            yield f"{name}: ${{{name}:-{setting.default}}}"
    for callee in process.calls:
        variable, address = _callee(found, callee)
        if variable in reads:
            yield f"{variable}: {address}"
    if process.files and process.files.variable not in found.settings:
        yield f"{process.files.variable}: ${{{process.files.variable}:-file://{process.files.path}}}"
    if process.kind == "plugin":
        yield f"METRICS_PORT: {process.port}"
    else:
        yield f"HEALTH_URL: http://127.0.0.1:{process.port}{process.health}"
    if process.metrics_port:
        yield f"{process.prefix}_METRICS_PORT: {process.metrics_port}"
        yield f"{process.prefix}_METRICS_HOST: 0.0.0.0"
    if set(TOKENS) & reads:
        yield "<<: *tokens"


def _development(found: Declaration, process: Process) -> Iterator[str]:
    reads = names_of(process)
    yield from _extends(process, *_other_label(found, process, _announced_on(found, process)))
    yield "    APP_ENV: development"
    if "PUBLIC_ORIGIN" in reads:
        yield "    PUBLIC_ORIGIN: *public_origin"
    for name, setting in found.settings.items():
        if setting.development is not None and name in reads:
            yield f"    {name}: ${{{name}:-{setting.development}}}"
    if process.believes:
        variable = f"{process.prefix}_TRUSTED_PROXIES"
        yield f"    {variable}: {_ranges(found, process.believes.development) or f'${{{variable}:-}}'}"
    if process.database:
        yield f"    {process.database_variable}_URL: {_database_url(process)}"
        yield f"    {_development_secret(found, f'{process.database_variable}_PASSWORD')}"
    if process.redis:
        yield f"    REDIS_URL: {_redis_url(process)}"
        yield f"    {_development_secret(found, process.redis_password)}"
    for name, setting in found.settings.items():
        if setting.secret is not None and name in reads:
            yield f"    {_development_secret(found, name)}"
    if process.kind == "front":
        yield f'  ports: ["${{{process.port_variable}:-{process.port}}}:{process.port}"]'
    yield from _common(found, process, "development")
    if process.kind == "aid":
        yield f"  mem_limit: {process.memory.small}"
    watched = _WATCHED.get(process.kind, process.package)
    yield f"  develop: {{ watch: [{{ action: rebuild, path: ./{watched} }}] }}"


def _production(found: Declaration, process: Process) -> Iterator[str]:
    reads = names_of(process)
    on = [*_announced_on(found, process), *_from_outbound(found, process)]
    yield from _extends(process, "<<: *production", *_other_label(found, process, on))
    yield "    APP_ENV: production"
    if "PUBLIC_ORIGIN" in reads:
        yield "    PUBLIC_ORIGIN: *public_origin"
    for name, setting in found.settings.items():
        if setting.production is not None and name in reads:
            yield f"    {name}: ${{{name}:-{setting.production}}}"
    if process.believes:
        yield f"    {process.prefix}_TRUSTED_PROXIES: {_ranges(found, process.believes.production)}"
    secrets = [
        name for name, setting in found.settings.items() if setting.secret is not None and name in reads
    ]
    if process.redis:
        yield f"    REDIS_URL: ${{{process.prefix}_REDIS_URL:-{_redis_url(process)}}}"
        secrets.insert(0, process.redis_password)
    if process.database:
        variable = f"{process.database_variable}_URL"
        yield f"    {variable}: ${{{variable}:-{_database_url(process)}}}"
        secrets.insert(0, f"{process.database_variable}_PASSWORD")
    yield from (f"    {_file(name)}" for name in secrets)
    if secrets:
        yield f"  secrets: [{', '.join(name.lower() for name in secrets)}]"
    yield from _common(found, process, "production")
    if process.replicas > 1:
        yield f"  deploy: {{ replicas: {process.replicas} }}"
    yield f"  mem_limit: {process.memory.limit}"


def _small(found: Declaration, process: Process) -> Iterator[str]:
    yield f"{process.name}:"
    reads = names_of(process)
    few = [
        f"{name}: {setting.small}"
        for name, setting in found.settings.items()
        if setting.small and name in reads
    ]
    if few:
        yield f"  environment: {{ {', '.join(few)} }}"
    yield f"  mem_limit: {process.memory.small}"


def _extends(process: Process, *first: str) -> Iterator[str]:
    yield f"{process.name}:"
    yield from (f"  {line}" for line in first)
    yield f"  extends: {{ file: {BASE}, service: {process.name} }}"
    yield "  environment:"


def _common(found: Declaration, process: Process, mode: str) -> Iterator[str]:
    networks = found.networks_of(process.name)
    if process.kind == "front":
        networks = ["front_door", *networks]
    if process.outbound and mode == "production":
        networks = [*networks, "outbound"]
    yield f"  networks: [{', '.join(networks)}]"
    for owner, files in found.with_files(mode):
        if owner is process:
            yield f'  volumes: ["{files.volume}:{files.path}"]'
    if process.stores:
        yield f"  depends_on: {{ {', '.join(f'{s}: {{ condition: service_healthy }}' for s in process.stores)} }}"


def _called_on(networks: Iterable[str]) -> str:
    return f'gatehouse.called-on: "{" ".join(networks)}"'


def _other_label(found: Declaration, process: Process, networks: list[str]) -> Iterator[str]:
    """The label of one mode, where it is not that of the base file."""
    if process.kind != "aid" and networks != _announced_on(found.deployed(), process):
        yield f"labels: {{ {_called_on(networks)} }}"


def _from_outbound(found: Declaration, process: Process) -> Iterator[str]:
    """The way out, where a caller that has it as well could find the process."""
    callers = [
        found.processes[one] for one, other in found.calls() if other == process.name and one != "kong"
    ]
    if process.outbound and any(caller.outbound for caller in callers):
        yield "outbound"


def _announced_on(found: Declaration, process: Process) -> list[str]:
    if process.kind == "front":
        return ["front_door"]
    return found.called_on(process.name)


def _callee(found: Declaration, name: str) -> tuple[str, str]:
    if name == "kong":
        return "GATEWAY_URL", "http://kong:8000"
    process = found.processes[name]
    return f"{process.prefix}_URL", url(process)


def _reachable(found: Declaration) -> list[Process]:
    """What development's loopback passes this machine's ports on to."""
    return found.of_kind("service", "aid")


def _networks(found: Declaration) -> list[str]:
    lines = []
    for name, network in found.networks.items():
        lines.append(f"{name}: # {network.note}")
        lines.append(f'  {{ internal: true, ipam: {{ config: [{{ subnet: "{_range(network.range)}" }}] }} }}')
    return lines


def _volumes(found: Declaration, mode: str) -> list[str]:
    """Each once, though several processes may have it."""
    return [f"{volume}:" for volume in dict.fromkeys(files.volume for _, files in found.with_files(mode))]


def _range(range_: str) -> str:
    return f"${{NETWORK_PREFIX:-10.213.77}}.{range_}"


DOORS = {"gateway_door": "192/28", "front_door": "176/28"}
"""Networks of one container and its callers, which the compose files declare by hand."""


def _ranges(found: Declaration, names: tuple[str, ...]) -> str:
    return ",".join(_range(DOORS.get(n) or found.networks[n].range) for n in names)


def _database_url(process: Process) -> str:
    return f"postgresql://{process.database}@postgres:5432/{process.database}"


def _replicated_url(process: Process) -> str:
    """Of whichever of the two takes writes."""
    hosts = "postgres:5432,postgres-standby:5432"
    return f"postgresql://{process.database}@{hosts}/{process.database}?target_session_attrs=read-write"


def _redis_url(process: Process) -> str:
    return f"redis://{process.name}@redis:6379/0"


def _development_secret(found: Declaration, name: str) -> str:
    return f"{name}: ${{{name}:-{found.secrets()[name]}}}"


def _file(name: str) -> str:
    return f"{name}_FILE: /run/secrets/{name.lower()}"


def _spaced(parts: Iterator[Iterator[str]]) -> list[str]:
    """With an empty line between two parts."""
    lines: list[str] = []
    for part in parts:
        lines += ["", *part] if lines else part
    return lines
