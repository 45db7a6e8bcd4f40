"""The rendered kong.yml, read into types. What Kong would refuse is refused here too."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from devstack.gateway import fields, marks
from devstack.gateway.entities import ConfigError, Configuration, Plugin, Route, Service
from devstack.gateway.marks import line_of

_NAMESPACE = uuid.UUID("8b7f1c52-6d0f-4b51-9d5e-6a3c2f0f7c11")
_SERVICE_FIELDS = {
    *("id", "name", "url", "protocol", "host", "port", "path", "retries", "connect_timeout", "write_timeout"),
    *("read_timeout", "enabled", "tags", "routes", "plugins"),
}
_ROUTE_FIELDS = {
    *("id", "name", "protocols", "methods", "hosts", "paths", "headers", "regex_priority", "strip_path"),
    *("preserve_host", "https_redirect_status_code", "request_buffering", "response_buffering"),
    *("path_handling", "tags", "plugins", "service"),
}
_PLUGIN_FIELDS = {"id", "name", "instance_name", "config", "enabled", "protocols", "tags", "service", "route"}
_UPSTREAM_FIELDS = {"id", "name", "algorithm", "slots", "healthchecks", "targets", "tags"}
_TOP_FIELDS = {
    *("_format_version", "_transform", "_comment", "_ignore", "services", "routes", "plugins", "upstreams"),
}
# Kong's, which would be a stand-in's to carry out: told apart from what nobody knows.
_BEYOND_STAND_IN = {
    *(
        "consumers",
        "certificates",
        "ca_certificates",
        "snis",
        "vaults",
        "keys",
        "key_sets",
        "consumer_groups",
    ),
    *(
        "client_certificate",
        "tls_verify",
        "tls_verify_depth",
        "sources",
        "destinations",
        "consumer",
        "ordering",
    ),
}
_MILLISECONDS = (1, 2**31 - 2)
_OVER_HTTP = frozenset({"http", "https", "grpc", "grpcs"})
_PROTOCOLS = {
    *("http", "https", "grpc", "grpcs", "tcp", "tls", "tls_passthrough", "udp", "ws", "wss"),
}


def load(file: Path) -> Configuration:
    """Raises ConfigError with the reason and its line."""
    return read(file.read_bytes())


def read(content: bytes) -> Configuration:
    """The configuration in a file's content. Raises ConfigError."""
    try:
        document = marks.load(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigError(str(error.problem), mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(str(error)) from error
    configuration = parse(document)
    if configuration.services or configuration.plugins or configuration.upstreams:
        configuration.hash = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return configuration


def told(error: ConfigError) -> str:
    """The reason as Kong tells one of YAML's own: with line and column, where the line is known."""
    place = f"{error.line}:1: " if error.line else ""
    return f"failed parsing declarative configuration: {place}{error}"


def parse(document: Any) -> Configuration:
    """Raises ConfigError."""
    top = fields.record(document, "the file")
    _only(top, _TOP_FIELDS, "the file")
    if top.get("_format_version") not in ("1.1", "2.1", "3.0"):
        raise ConfigError("_format_version must be a string such as '3.0'", line_of(top, "_format_version"))
    configuration = Configuration()
    for entry in fields.records(top, "upstreams", "the file"):
        _read_upstream(configuration, entry)
    services = fields.records(top, "services", "the file")
    for entry in services:
        _read_service(configuration, entry)
    if fields.array(top, "routes", "the file"):
        raise ConfigError(
            "routes belong below their service: the stand-in does not know others", line_of(top, "routes")
        )
    plugins = fields.records(top, "plugins", "the file")
    for entry in plugins:
        _read_plugin(configuration, entry, "plugins")
    _unique_plugins(plugins, "plugins")
    fields.unique([_named(service) for service in services], "service")
    routes = [route for service in services for route in fields.records(service, "routes", "the file")]
    fields.unique([_named(route) for route in routes], "route")
    return configuration


def _named(entry: Mapping[str, Any]) -> tuple[str, int | None]:
    return str(entry.get("name")), line_of(entry, "name")


def _unique_plugins(entries: list[Mapping[str, Any]], where: str) -> None:
    fields.unique([_named(entry) for entry in entries], f"plugin of {where}")


def _only(entry: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in entry:
        if name in _BEYOND_STAND_IN - known:
            raise ConfigError(f"{where}: {name}: Kong's, but not the stand-in's", line_of(entry, name))
    fields.only(entry, known, where)


def _read_upstream(configuration: Configuration, entry: Mapping[str, Any]) -> None:
    name = fields.name_of(entry, "upstream")
    where = f"upstream {name}"
    _only(entry, _UPSTREAM_FIELDS, where)
    targets = [target.get("target") for target in fields.records(entry, "targets", where)]
    if not all(isinstance(target, str) and target.rpartition(":")[2].isdigit() for target in targets):
        raise ConfigError(f"{where}: a target is a string such as host:8000", line_of(entry, "targets"))
    configuration.upstreams[name] = [str(target) for target in targets]


def _read_service(configuration: Configuration, entry: Mapping[str, Any]) -> None:
    name = fields.name_of(entry, "service")
    where = f"service {name}"
    _only(entry, _SERVICE_FIELDS, where)
    fields.strings(entry, "tags", where)
    address = _address(entry, where)
    if not fields.boolean(entry, "enabled", True, where):
        return
    service = Service(
        id=str(uuid.uuid5(_NAMESPACE, f"services:{name}")),
        name=name,
        retries=fields.integer(entry, "retries", 5, where, (0, 32767)),
        connect_timeout=fields.integer(entry, "connect_timeout", 60000, where, _MILLISECONDS),
        write_timeout=fields.integer(entry, "write_timeout", 60000, where, _MILLISECONDS),
        read_timeout=fields.integer(entry, "read_timeout", 60000, where, _MILLISECONDS),
        **address,
    )
    configuration.services.append(service)
    plugins = fields.records(entry, "plugins", where)
    for plugin in plugins:
        _read_plugin(configuration, plugin, where, service=service)
    _unique_plugins(plugins, where)
    for route in fields.records(entry, "routes", where):
        _read_route(configuration, service, route)


def _address(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    line = line_of(entry, "url" if "url" in entry else "host")
    if "url" in entry:
        try:
            parts = urlsplit(str(entry["url"]))
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise ConfigError(f"{where}: url: {error}", line) from error
        protocol, host, path = parts.scheme, parts.hostname, parts.path or None
    else:
        protocol, host, path = entry.get("protocol", "http"), entry.get("host"), entry.get("path")
        port = fields.integer(entry, "port", 80, where, (0, 65535))
    if protocol not in ("http", "https") or not isinstance(host, str) or not host:
        raise ConfigError(f"{where}: its url needs http:// or https:// and a host", line)
    if path is not None and not str(path).startswith("/"):
        raise ConfigError(f"{where}: path: should start with /", line_of(entry, "path"))
    return {"protocol": protocol, "host": host, "port": port, "path": path}


def _read_route(configuration: Configuration, service: Service, entry: Mapping[str, Any]) -> None:
    name = fields.name_of(entry, f"route of service {service.name}")
    where = f"route {name}"
    _only(entry, _ROUTE_FIELDS, where)
    fields.strings(entry, "tags", where)
    fields.one_of(entry, "path_handling", "v0", where, ("v0", "v1"))
    fields.one_of(entry, "https_redirect_status_code", 426, where, (426, 301, 302, 307, 308))
    for switch in ("request_buffering", "response_buffering"):
        fields.boolean(entry, switch, True, where)
    methods = fields.strings(entry, "methods", where)
    if not all(re.fullmatch("[A-Z]+", method) for method in methods):
        raise ConfigError(f"{where}: methods: expected upper-case names", line_of(entry, "methods"))
    route = Route(
        id=str(uuid.uuid5(_NAMESPACE, f"routes:{name}")),
        name=name,
        service=service,
        protocols=_protocols(entry, where) or ("http", "https"),
        methods=methods,
        hosts=fields.strings(entry, "hosts", where),
        paths=_paths(entry, where),
        headers=_headers(entry, where),
        regex_priority=fields.integer(entry, "regex_priority", 0, where),
        strip_path=fields.boolean(entry, "strip_path", True, where),
        preserve_host=fields.boolean(entry, "preserve_host", False, where),
    )
    if not (route.methods or route.hosts or route.paths or route.headers):
        raise ConfigError(f"{where}: must set one of methods, hosts, headers, paths", line_of(entry))
    configuration.routes.append(route)
    plugins = fields.records(entry, "plugins", where)
    for plugin in plugins:
        _read_plugin(configuration, plugin, where, route=route)
    _unique_plugins(plugins, where)


def _paths(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    paths = fields.strings(entry, "paths", where)
    for number, path in enumerate(paths):
        line = line_of(entry["paths"], number)
        if path.startswith("~"):
            fields.regex(path[1:], where, line)
        elif not path.startswith("/"):
            raise ConfigError(f"{where}: the path {path!r} does not begin with /", line)
    return paths


def _headers(entry: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    given = fields.record(entry.get("headers") or {}, f"headers of {where}", line_of(entry, "headers"))
    headers = {name: fields.strings(given, name, where) for name in given}
    for name, values in headers.items():
        if name.lower() == "host":
            raise ConfigError(
                f"{where}: headers: cannot contain 'host', which is hosts'", line_of(given, name)
            )
        for value in values:
            if value.startswith("~*"):
                fields.regex(value[2:], where, line_of(given, name))
    return headers


def _protocols(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    protocols = fields.strings(entry, "protocols", where)
    unknown = sorted(set(protocols) - _PROTOCOLS)
    if unknown:
        raise ConfigError(
            f"{where}: protocols: there is no {', '.join(unknown)}", line_of(entry, "protocols")
        )
    return protocols


def _read_plugin(
    configuration: Configuration,
    entry: Mapping[str, Any],
    where: str,
    service: Service | None = None,
    route: Route | None = None,
) -> None:
    name = fields.name_of(entry, f"plugin of {where}")
    _only(entry, _PLUGIN_FIELDS, f"plugin {name} of {where}")
    fields.strings(entry, "tags", where)
    protocols = _protocols(entry, f"plugin {name} of {where}")
    if "service" in entry or "route" in entry:
        raise ConfigError(
            f"plugin {name}: hang it below its service or route, not by reference", line_of(entry)
        )
    config = fields.record(entry.get("config") or {}, f"config of plugin {name}", line_of(entry, "config"))
    enabled = fields.boolean(entry, "enabled", True, f"plugin {name} of {where}")
    # Kong runs it for any request over HTTP, whichever of these it names, and without one of them for none.
    if not enabled or ("protocols" in entry and _OVER_HTTP.isdisjoint(protocols)):
        return
    configuration.plugins.append(
        Plugin(
            id=str(uuid.uuid5(_NAMESPACE, f"plugins:{where}:{name}")),
            name=name,
            config=config,
            service=service,
            route=route,
            line=line_of(entry, "name"),
        )
    )
