"""What the Helm chart has of gatehouse.toml: facts that templates read, and defaults that people change.

Facts are `files/processes.yaml`, which is generated whole. `values.yaml` and `values-small.yaml` have blocks, and the
schema has one property for each process and each setting, so that a misspelt name is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from devstack.declaration import ROOT, Declaration, Process
from devstack.generate.blocks import Blocks
from devstack.service_settings import names_of

CHART = "deploy/helm/gatehouse"
FACTS = f"{CHART}/files/processes.yaml"
SCHEMA = f"{CHART}/values.schema.json"
CLUSTER = "deploy/helm/examples/cloudnative-pg.yaml"
TOKENS = ("TOKEN_ISSUER", "TOKEN_AUDIENCE")
_OPENING = """\
# From gatehouse.toml by `make generate`: edits are lost.
# What each process is, wherever it runs; values.yaml says how many and how large.
"""


def blocks(found: Declaration) -> Mapping[str, Blocks]:
    """By file and name."""
    deployed = found.deployed()
    return {
        f"{CHART}/values.yaml": {
            "processes": [f"{p.name}: {{ memory: {_size(p.memory.limit)} }}" for p in _placed(deployed)],
            "settings": list(_settings(deployed)),
        },
        f"{CHART}/values-small.yaml": {
            "processes": [f"{p.name}: {{ memory: {_size(p.memory.small)} }}" for p in _placed(deployed)],
            "settings": [
                f"{name}: {json.dumps(setting.small)}"
                for name, setting in found.settings.items()
                if setting.small is not None
            ],
        },
        CLUSTER: {
            "roles": [line for p in found.stored for line in _role(p)],
            "databases": [line for p in found.stored for line in _database(p)],
        },
    }


def files(found: Declaration) -> Iterator[tuple[str, str]]:
    """Files that are generated whole."""
    deployed = found.deployed()
    facts: dict[str, Any] = {
        "kong": {
            "addresses": {f"{p.prefix}_URL": p.name for p in found.routed},
            "settings": [
                *TOKENS,
                "IDEMPOTENCY_TTL",
                "PRODUCT_LIST_TTL",
                "SUGGESTIONS_TTL",
                "PRODUCT_TTL",
                "CATEGORIES_TTL",
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "OTEL_TRACES_SAMPLER_ARG",
            ],
            "calls": [callee for caller, callee in deployed.calls() if caller == "kong"],
            "calledBy": [caller for caller, callee in deployed.calls() if callee == "kong"],
        },
        "processes": {p.name: _facts(deployed, p) for p in _placed(deployed)},
    }
    yield FACTS, _OPENING + _yaml(facts)
    yield SCHEMA, _schema(deployed)


def component(process: Process) -> str:
    """Its name where Kubernetes allows no underscore."""
    return process.name.replace("_", "-")


def _placed(found: Declaration) -> list[Process]:
    return found.of_kind("service", "plugin", "front")


def _facts(found: Declaration, process: Process) -> dict[str, Any]:
    reads = names_of(process)
    facts: dict[str, Any] = {
        "kind": process.kind,
        "component": component(process),
        "image": f"gatehouse-{component(process)}",
        "port": process.port,
        "ready": "/health" if process.kind == "plugin" else process.health,
        "settings": [name for name in _setting_names(found) if name in reads],
        "addresses": {
            ("GATEWAY_URL" if callee == "kong" else f"{found.processes[callee].prefix}_URL"): callee
            for callee in process.calls
            if callee == "kong" or f"{found.processes[callee].prefix}_URL" in reads
        },
        "secrets": list(_secrets(found, process)),
        "calls": list(process.calls),
        "calledBy": [caller for caller, callee in found.calls() if callee == process.name],
        "stores": list(process.stores),
        "publicOrigin": "PUBLIC_ORIGIN" in reads,
        "keys": "AUTH_JWKS_URL" in reads,
    }
    if process.database:
        facts["database"] = {"variable": f"{process.database_variable}_URL", "name": process.database}
    if process.metrics_port:
        facts["metrics"] = {"port": process.metrics_port, "prefix": process.prefix}
    if process.believes:
        facts["believes"] = {
            "variable": f"{process.prefix}_TRUSTED_PROXIES",
            "ingressAlone": process.believes.production == ("front_door",),
        }
    if process.outbound:
        facts["outbound"] = process.outbound
    if process.files and process.files.only != "development":
        facts["files"] = {"path": process.files.path, "variable": process.files.variable}
    return facts


def _setting_names(found: Declaration) -> list[str]:
    return [
        name for name, setting in found.settings.items() if setting.production or setting.default is not None
    ]


def _settings(found: Declaration) -> Iterator[str]:
    for name in _setting_names(found):
        setting = found.settings[name]
        readers = [p.name for p in _placed(found) if name in names_of(p)]
        yield f"{name}: {json.dumps(setting.production or setting.default or '')} # {', '.join(readers) or 'kong'}"


def _secrets(found: Declaration, process: Process) -> Iterator[str]:
    reads = names_of(process)
    if process.database:
        yield f"{process.database_variable}_PASSWORD"
    if process.redis:
        yield process.redis_password
    yield from (name for name, s in found.settings.items() if s.secret is not None and name in reads)


def _schema(found: Declaration) -> str:
    """The schema that is in the file, with the names of now in the places for them."""
    schema = json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))
    of_kind = {"service": "service", "front": "service", "plugin": "plugin"}
    properties = schema["properties"]
    properties["processes"]["properties"] = {
        p.name: {"$ref": f"#/$defs/{of_kind[p.kind]}"} for p in _placed(found)
    }
    properties["settings"]["properties"] = {
        name: {"$ref": "#/$defs/setting"} for name in _setting_names(found)
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _role(process: Process) -> Iterator[str]:
    secret = f"{component(process)}-database"
    yield f"- {{ name: {process.database}, login: true, passwordSecret: {{ name: {secret} }} }}"


def _database(process: Process) -> Iterator[str]:
    name = str(process.database)
    yield "---"
    yield "apiVersion: postgresql.cnpg.io/v1"
    yield "kind: Database"
    yield f"metadata: {{ name: {component(process)} }}"
    yield f"spec: {{ name: {name}, owner: {name}, cluster: {{ name: gatehouse-postgres }} }}"


def _size(docker: str) -> str:
    """Docker's 512m as Kubernetes says it."""
    return re.sub(r"([mg])$", lambda unit: {"m": "Mi", "g": "Gi"}[unit[1]], docker)


def _yaml(value: Any, indent: str = "") -> str:
    """Block style for what holds more, flow style for what does not."""
    lines = ""
    for key, item in value.items():
        if isinstance(item, dict) and any(isinstance(inner, dict | list) for inner in item.values()):
            lines += f"{indent}{key}:\n{_yaml(item, indent + '  ')}"
        else:
            lines += f"{indent}{key}: {json.dumps(item, ensure_ascii=False)}\n"
    return lines
