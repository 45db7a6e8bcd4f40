"""The rendered kong.yml, read into types. What Kong would refuse is refused here too."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

_NAMESPACE = uuid.UUID("8b7f1c52-6d0f-4b51-9d5e-6a3c2f0f7c11")
_SERVICE_FIELDS = {
    *("name", "url", "protocol", "host", "port", "path", "retries", "connect_timeout", "write_timeout"),
    *("read_timeout", "enabled", "tags", "routes", "plugins"),
}
_ROUTE_FIELDS = {
    *(
        "name",
        "protocols",
        "methods",
        "hosts",
        "paths",
        "headers",
        "regex_priority",
        "strip_path",
        "preserve_host",
    ),
    *(
        "https_redirect_status_code",
        "request_buffering",
        "response_buffering",
        "path_handling",
        "tags",
        "plugins",
    ),
    "service",
}
_PLUGIN_FIELDS = {"name", "instance_name", "config", "enabled", "protocols", "tags", "service", "route"}
_UPSTREAM_FIELDS = {"name", "algorithm", "slots", "healthchecks", "targets", "tags"}
_TOP_FIELDS = {
    "_format_version",
    "_transform",
    "_comment",
    "_ignore",
    "services",
    "routes",
    "plugins",
    "upstreams",
}


class ConfigError(Exception):
    """The file is not one that the gateway can run."""


@dataclass(frozen=True)
class Service:
    """Timeouts are in milliseconds, as in Kong."""

    id: str
    name: str
    protocol: str
    host: str
    port: int
    path: str | None
    retries: int
    connect_timeout: int
    write_timeout: int
    read_timeout: int


@dataclass(frozen=True)
class Route:
    id: str
    name: str
    service: Service
    protocols: tuple[str, ...]
    methods: tuple[str, ...]
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    headers: Mapping[str, tuple[str, ...]]
    regex_priority: int
    strip_path: bool
    preserve_host: bool


@dataclass(frozen=True)
class Plugin:
    """`service` and `route` say where it hangs: at most one of them; neither is everywhere."""

    id: str
    name: str
    config: Mapping[str, Any]
    service: Service | None = None
    route: Route | None = None


@dataclass
class Configuration:
    """`upstreams` are the targets, `host:port`, by the name that a service has as its host."""

    upstreams: dict[str, list[str]] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    plugins: list[Plugin] = field(default_factory=list)


def load(file: Path) -> Configuration:
    """Raises ConfigError with the reason, in Kong's form: one of YAML's own begins with line and column."""
    try:
        document = yaml.safe_load(file.read_text())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{mark.line + 1}:{mark.column + 1}: " if mark else ""
        raise ConfigError(f"failed parsing declarative configuration: {place}{error.problem}") from error
    return parse(document)


def parse(document: Any) -> Configuration:
    """Raises ConfigError."""
    top = _mapping(document, "the file")
    _known(top, _TOP_FIELDS, "the file")
    if top.get("_format_version") not in ("1.1", "2.1", "3.0"):
        raise ConfigError("_format_version must be a string such as '3.0'")
    configuration = Configuration()
    for entry in _list(top, "upstreams", "the file"):
        _read_upstream(configuration, _mapping(entry, "an entry of upstreams"))
    for entry in _list(top, "services", "the file"):
        _read_service(configuration, _mapping(entry, "an entry of services"))
    if _list(top, "routes", "the file"):
        raise ConfigError("routes belong below their service: the stand-in does not know others")
    for entry in _list(top, "plugins", "the file"):
        _read_plugin(configuration, _mapping(entry, "an entry of plugins"), "plugins")
    _unique([service.name for service in configuration.services], "service")
    _unique([route.name for route in configuration.routes], "route")
    return configuration


def _read_upstream(configuration: Configuration, entry: Mapping[str, Any]) -> None:
    name = _name(entry, "upstream")
    where = f"upstream {name}"
    _known(entry, _UPSTREAM_FIELDS, where)
    targets = [
        _mapping(target, f"a target of {where}").get("target") for target in _list(entry, "targets", where)
    ]
    if not all(isinstance(target, str) and target.rpartition(":")[2].isdigit() for target in targets):
        raise ConfigError(f"{where}: a target is a string such as host:8000")
    configuration.upstreams[name] = [str(target) for target in targets]


def _read_service(configuration: Configuration, entry: Mapping[str, Any]) -> None:
    name = _name(entry, "service")
    where = f"service {name}"
    _known(entry, _SERVICE_FIELDS, where)
    address = _address(entry, where)
    if entry.get("enabled", True) is False:
        return
    service = Service(
        id=str(uuid.uuid5(_NAMESPACE, f"services:{name}")),
        name=name,
        retries=_integer(entry, "retries", 5, where),
        connect_timeout=_integer(entry, "connect_timeout", 60000, where),
        write_timeout=_integer(entry, "write_timeout", 60000, where),
        read_timeout=_integer(entry, "read_timeout", 60000, where),
        **address,
    )
    configuration.services.append(service)
    for plugin in _list(entry, "plugins", where):
        _read_plugin(configuration, _mapping(plugin, f"a plugin of {where}"), where, service=service)
    for route in _list(entry, "routes", where):
        _read_route(configuration, service, _mapping(route, f"a route of {where}"))


def _address(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    if "url" in entry:
        parts = urlsplit(str(entry["url"]))
        protocol, host, path = parts.scheme, parts.hostname, parts.path or None
        port = parts.port or (443 if protocol == "https" else 80)
    else:
        protocol, host, path = entry.get("protocol", "http"), entry.get("host"), entry.get("path")
        port = _integer(entry, "port", 80, where)
    if protocol not in ("http", "https") or not host:
        raise ConfigError(f"{where}: its url needs http:// or https:// and a host")
    return {"protocol": protocol, "host": host, "port": port, "path": path}


def _read_route(configuration: Configuration, service: Service, entry: Mapping[str, Any]) -> None:
    name = _name(entry, f"route of service {service.name}")
    where = f"route {name}"
    _known(entry, _ROUTE_FIELDS, where)
    paths = _strings(entry, "paths", where)
    for path in paths:
        if path.startswith("~"):
            _regex(path[1:], where)
        elif not path.startswith("/"):
            raise ConfigError(f"{where}: the path {path!r} does not begin with /")
    headers = {
        header: _strings(_mapping(entry["headers"], f"headers of {where}"), header, where)
        for header in entry.get("headers") or {}
    }
    for values in headers.values():
        for value in values:
            if value.startswith("~*"):
                _regex(value[2:], where)
    route = Route(
        id=str(uuid.uuid5(_NAMESPACE, f"routes:{name}")),
        name=name,
        service=service,
        protocols=_strings(entry, "protocols", where) or ("http", "https"),
        methods=_strings(entry, "methods", where),
        hosts=_strings(entry, "hosts", where),
        paths=paths,
        headers=headers,
        regex_priority=_integer(entry, "regex_priority", 0, where),
        strip_path=_boolean(entry, "strip_path", True, where),
        preserve_host=_boolean(entry, "preserve_host", False, where),
    )
    if not (route.methods or route.hosts or route.paths or route.headers):
        raise ConfigError(f"{where}: must set one of methods, hosts, headers, paths")
    configuration.routes.append(route)
    for plugin in _list(entry, "plugins", where):
        _read_plugin(configuration, _mapping(plugin, f"a plugin of {where}"), where, route=route)


def _read_plugin(
    configuration: Configuration,
    entry: Mapping[str, Any],
    where: str,
    service: Service | None = None,
    route: Route | None = None,
) -> None:
    name = _name(entry, f"plugin of {where}")
    _known(entry, _PLUGIN_FIELDS, f"plugin {name} of {where}")
    if "service" in entry or "route" in entry:
        raise ConfigError(f"plugin {name}: hang it below its service or route, not by reference")
    if entry.get("enabled", True) is False:
        return
    configuration.plugins.append(
        Plugin(
            id=str(uuid.uuid5(_NAMESPACE, f"plugins:{where}:{name}")),
            name=name,
            config=_mapping(entry.get("config") or {}, f"config of plugin {name}"),
            service=service,
            route=route,
        )
    )


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a record")
    return value


def _list(entry: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = entry.get(name) or []
    if not isinstance(value, list):
        raise ConfigError(f"{where}: {name}: expected an array")
    return value


def _strings(entry: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    values = _list(entry, name, where)
    if not all(isinstance(value, str) for value in values):
        raise ConfigError(f"{where}: {name}: expected strings")
    return tuple(values)


def _name(entry: Mapping[str, Any], where: str) -> str:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"a {where} has no name")
    return name


def _integer(entry: Mapping[str, Any], name: str, default: int, where: str) -> int:
    value = entry.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"{where}: {name}: expected an integer")
    return value


def _boolean(entry: Mapping[str, Any], name: str, default: bool, where: str) -> bool:
    value = entry.get(name, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: {name}: expected a boolean")
    return value


def _known(entry: Mapping[str, Any], fields: set[str], where: str) -> None:
    unknown = sorted(str(name) for name in entry if name not in fields)
    if unknown:
        raise ConfigError(f"{where}: unknown field: {', '.join(unknown)}")


def _unique(names: list[str], kind: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(f"more than one {kind} is called {', '.join(repeated)}")


def _regex(pattern: str, where: str) -> None:
    try:
        re.compile(python_regex(pattern))
    except re.error as error:
        raise ConfigError(f"{where}: {pattern!r} is not a regular expression: {error}") from error


def python_regex(pattern: str) -> str:
    """Kong takes named groups as `(?<name>...)`."""
    return re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
