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

from devstack.gateway import bundled, fields, marks, route_fields
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
_ADDRESS = re.compile(r"[0-9.]+")
_ALGORITHMS = ("round-robin", "least-connections", "consistent-hashing", "latency")
_MILLISECONDS = (1, 2**31 - 2)
_OVER_HTTP = frozenset({"http", "https", "grpc", "grpcs"})


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
    fields.boolean(top, "_transform", True, "the file")
    if not isinstance(top.get("_comment", ""), str):
        raise ConfigError("the file: _comment: expected a string", line_of(top, "_comment"))
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
    fields.unique(
        [plugin.instance for plugin in configuration.plugins if plugin.instance], "plugin's instance"
    )
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
    if _ADDRESS.fullmatch(name):
        raise ConfigError(f"{where}: name: an address is no name", line_of(entry, "name"))
    fields.one_of(entry, "algorithm", "round-robin", where, _ALGORITHMS)
    fields.integer(entry, "slots", 10000, where, (10, 65536))
    given = fields.records(entry, "targets", where)
    for target in given:
        fields.integer(target, "weight", 100, where, (0, 65535))
    targets = [target.get("target") for target in given]
    if not all(isinstance(target, str) and target.rpartition(":")[2].isdigit() for target in targets):
        raise ConfigError(f"{where}: a target is a string such as host:8000", line_of(entry, "targets"))
    configuration.upstreams[name] = [str(target) for target in targets]


def _read_service(configuration: Configuration, entry: Mapping[str, Any]) -> None:
    name = fields.name_of(entry, "service")
    where = f"service {name}"
    _only(entry, _SERVICE_FIELDS, where)
    fields.tags(entry, where)
    fields.identifier(entry, where)
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
    spelled = str(entry.get("url", protocol)).partition("://")[0]
    if spelled not in ("http", "https") or not isinstance(host, str) or not host:
        raise ConfigError(f"{where}: its url needs http:// or https:// and a host", line)
    if not route_fields.host(host):
        raise ConfigError(f"{where}: {host!r} is no host", line)
    if path is not None:
        _check_path(str(path), where, line_of(entry, "path") or line)
    return {"protocol": protocol, "host": host, "port": port, "path": path}


def _check_path(path: str, where: str, line: int | None) -> None:
    if not path.startswith("/"):
        raise ConfigError(f"{where}: path: should start with /", line)
    if "//" in path:
        raise ConfigError(f"{where}: path: must not have empty segments", line)
    if re.search(r"[^A-Za-z0-9._~:@!$&'()*+,;=/%-]", path):
        raise ConfigError(f"{where}: path: {path!r}: characters that no path has (RFC 3986)", line)
    fields.percent_encoded(path, where, line)


def _read_route(configuration: Configuration, service: Service, entry: Mapping[str, Any]) -> None:
    name = fields.name_of(entry, f"route of service {service.name}")
    where = f"route {name}"
    _only(entry, _ROUTE_FIELDS, where)
    fields.tags(entry, where)
    fields.identifier(entry, where)
    fields.one_of(entry, "path_handling", "v0", where, ("v0", "v1"))
    fields.one_of(entry, "https_redirect_status_code", 426, where, (426, 301, 302, 307, 308))
    for switch in ("request_buffering", "response_buffering"):
        fields.boolean(entry, switch, True, where)
    methods = fields.strings(entry, "methods", where)
    if not all(re.fullmatch("[A-Z]+", method) for method in methods):
        raise ConfigError(f"{where}: methods: expected upper-case names", line_of(entry, "methods"))
    if entry.get("service") not in (None, service.name):
        raise ConfigError(f"{where}: service: it is below {service.name}", line_of(entry, "service"))
    route = Route(
        id=str(uuid.uuid5(_NAMESPACE, f"routes:{name}")),
        name=name,
        service=service,
        protocols=route_fields.protocols_of_a_route(entry, where),
        methods=methods,
        hosts=route_fields.hosts_of(entry, where),
        paths=route_fields.paths_of(entry, where),
        headers=route_fields.headers_of(entry, where),
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


def _read_plugin(
    configuration: Configuration,
    entry: Mapping[str, Any],
    where: str,
    service: Service | None = None,
    route: Route | None = None,
) -> None:
    name = fields.name_of(entry, f"plugin of {where}")
    _only(entry, _PLUGIN_FIELDS, f"plugin {name} of {where}")
    fields.tags(entry, where)
    fields.identifier(entry, where)
    protocols = route_fields.protocols_of(entry, f"plugin {name} of {where}")
    if name in bundled.OVER_HTTP and not _OVER_HTTP.issuperset(protocols):
        raise ConfigError(
            f"plugin {name} of {where}: protocols: expected one of: {', '.join(sorted(_OVER_HTTP))}",
            line_of(entry, "protocols"),
        )
    if entry.get("service") is not None or entry.get("route") is not None:
        raise ConfigError(
            f"plugin {name}: hang it below its service or route, not by reference", line_of(entry)
        )
    instance = fields.instance_name(entry, f"plugin {name} of {where}")
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
            instance=(instance, line_of(entry, "instance_name")) if instance else None,
            service=service,
            route=route,
            line=line_of(entry, "name"),
        )
    )
