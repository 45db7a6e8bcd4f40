"""The rendered kong.yml, read into types. What Kong would refuse is refused here too."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from devstack.gateway import fields
from devstack.gateway.entities import ConfigError, Configuration, Plugin, Route, Service

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


def load(file: Path) -> Configuration:
    """Raises ConfigError with the reason, in Kong's form: one of YAML's own begins with line and column."""
    content = file.read_bytes()
    try:
        document = yaml.safe_load(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{mark.line + 1}:{mark.column + 1}: " if mark else ""
        raise ConfigError(f"failed parsing declarative configuration: {place}{error.problem}") from error
    configuration = parse(document)
    configuration.hash = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return configuration


def parse(document: Any) -> Configuration:
    """Raises ConfigError."""
    top = fields.record(document, "the file")
    fields.only(top, _TOP_FIELDS, "the file")
    if top.get("_format_version") not in ("1.1", "2.1", "3.0"):
        raise ConfigError("_format_version must be a string such as '3.0'")
    configuration = Configuration()
    for entry in fields.array(top, "upstreams", "the file"):
        _read_upstream(configuration, fields.record(entry, "an entry of upstreams"))
    for entry in fields.array(top, "services", "the file"):
        _read_service(configuration, fields.record(entry, "an entry of services"))
    if fields.array(top, "routes", "the file"):
        raise ConfigError("routes belong below their service: the stand-in does not know others")
    for entry in fields.array(top, "plugins", "the file"):
        _read_plugin(configuration, fields.record(entry, "an entry of plugins"), "plugins")
    fields.unique([service.name for service in configuration.services], "service")
    fields.unique([route.name for route in configuration.routes], "route")
    return configuration


def _read_upstream(configuration: Configuration, entry: Mapping[str, Any]) -> None:
    name = fields.name_of(entry, "upstream")
    where = f"upstream {name}"
    fields.only(entry, _UPSTREAM_FIELDS, where)
    targets = [
        fields.record(target, f"a target of {where}").get("target")
        for target in fields.array(entry, "targets", where)
    ]
    if not all(isinstance(target, str) and target.rpartition(":")[2].isdigit() for target in targets):
        raise ConfigError(f"{where}: a target is a string such as host:8000")
    configuration.upstreams[name] = [str(target) for target in targets]


def _read_service(configuration: Configuration, entry: Mapping[str, Any]) -> None:
    name = fields.name_of(entry, "service")
    where = f"service {name}"
    fields.only(entry, _SERVICE_FIELDS, where)
    address = _address(entry, where)
    if entry.get("enabled", True) is False:
        return
    service = Service(
        id=str(uuid.uuid5(_NAMESPACE, f"services:{name}")),
        name=name,
        retries=fields.integer(entry, "retries", 5, where),
        connect_timeout=fields.integer(entry, "connect_timeout", 60000, where),
        write_timeout=fields.integer(entry, "write_timeout", 60000, where),
        read_timeout=fields.integer(entry, "read_timeout", 60000, where),
        **address,
    )
    configuration.services.append(service)
    for plugin in fields.array(entry, "plugins", where):
        _read_plugin(configuration, fields.record(plugin, f"a plugin of {where}"), where, service=service)
    for route in fields.array(entry, "routes", where):
        _read_route(configuration, service, fields.record(route, f"a route of {where}"))


def _address(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    if "url" in entry:
        parts = urlsplit(str(entry["url"]))
        protocol, host, path = parts.scheme, parts.hostname, parts.path or None
        port = parts.port or (443 if protocol == "https" else 80)
    else:
        protocol, host, path = entry.get("protocol", "http"), entry.get("host"), entry.get("path")
        port = fields.integer(entry, "port", 80, where)
    if protocol not in ("http", "https") or not host:
        raise ConfigError(f"{where}: its url needs http:// or https:// and a host")
    return {"protocol": protocol, "host": host, "port": port, "path": path}


def _read_route(configuration: Configuration, service: Service, entry: Mapping[str, Any]) -> None:
    name = fields.name_of(entry, f"route of service {service.name}")
    where = f"route {name}"
    fields.only(entry, _ROUTE_FIELDS, where)
    paths = fields.strings(entry, "paths", where)
    for path in paths:
        if path.startswith("~"):
            fields.regex(path[1:], where)
        elif not path.startswith("/"):
            raise ConfigError(f"{where}: the path {path!r} does not begin with /")
    headers = {
        header: fields.strings(fields.record(entry["headers"], f"headers of {where}"), header, where)
        for header in entry.get("headers") or {}
    }
    for values in headers.values():
        for value in values:
            if value.startswith("~*"):
                fields.regex(value[2:], where)
    route = Route(
        id=str(uuid.uuid5(_NAMESPACE, f"routes:{name}")),
        name=name,
        service=service,
        protocols=fields.strings(entry, "protocols", where) or ("http", "https"),
        methods=fields.strings(entry, "methods", where),
        hosts=fields.strings(entry, "hosts", where),
        paths=paths,
        headers=headers,
        regex_priority=fields.integer(entry, "regex_priority", 0, where),
        strip_path=fields.boolean(entry, "strip_path", True, where),
        preserve_host=fields.boolean(entry, "preserve_host", False, where),
    )
    if not (route.methods or route.hosts or route.paths or route.headers):
        raise ConfigError(f"{where}: must set one of methods, hosts, headers, paths")
    configuration.routes.append(route)
    for plugin in fields.array(entry, "plugins", where):
        _read_plugin(configuration, fields.record(plugin, f"a plugin of {where}"), where, route=route)


def _read_plugin(
    configuration: Configuration,
    entry: Mapping[str, Any],
    where: str,
    service: Service | None = None,
    route: Route | None = None,
) -> None:
    name = fields.name_of(entry, f"plugin of {where}")
    fields.only(entry, _PLUGIN_FIELDS, f"plugin {name} of {where}")
    if "service" in entry or "route" in entry:
        raise ConfigError(f"plugin {name}: hang it below its service or route, not by reference")
    if entry.get("enabled", True) is False:
        return
    configuration.plugins.append(
        Plugin(
            id=str(uuid.uuid5(_NAMESPACE, f"plugins:{where}:{name}")),
            name=name,
            config=fields.record(entry.get("config") or {}, f"config of plugin {name}"),
            service=service,
            route=route,
        )
    )
