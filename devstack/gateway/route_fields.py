"""What a route matches on: paths, hosts, headers, protocols, as Kong judges them (kong/db/schema/typedefs.lua)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from devstack.gateway import fields, paths
from devstack.gateway.entities import ConfigError
from devstack.gateway.marks import line_of

_HTTP = {"http", "https"}
_GRPC = {"grpc", "grpcs"}
_STREAM = {"tcp", "tls", "tls_passthrough", "udp"}
_HEADER = re.compile(r"[A-Za-z0-9_-]+")
_LABELS = r"(?!-)[A-Za-z0-9_-]+(?<!-)(?:\.(?!-)[A-Za-z0-9_-]+(?<!-))*\.?"
_HOST = re.compile(_LABELS)


def protocols_of(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Of a route or a plugin; empty, where it says nothing of them."""
    if "protocols" not in entry:
        return ()
    protocols = fields.strings(entry, "protocols", where)
    line = line_of(entry, "protocols")
    if unknown := sorted(set(protocols) - _HTTP - _GRPC - _STREAM):
        raise ConfigError(f"{where}: protocols: there is no {', '.join(unknown)}", line)
    return protocols


def protocols_of_a_route(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    protocols = protocols_of(entry, where)
    line = line_of(entry, "protocols")
    if "protocols" in entry and not protocols:
        raise ConfigError(f"{where}: protocols: it is there, and empty", line)
    kinds = [kind for kind in (_HTTP, _GRPC, _STREAM) if kind & set(protocols)]
    if len(kinds) > 1:
        raise ConfigError(f"{where}: protocols: http, grpc and tcp exclude each other", line)
    if kinds == [_GRPC] and entry.get("methods"):
        raise ConfigError(f"{where}: methods: cannot be set with grpc", line_of(entry, "methods"))
    if kinds == [_GRPC] and entry.get("strip_path"):
        raise ConfigError(f"{where}: strip_path: cannot be set with grpc", line_of(entry, "strip_path"))
    if kinds == [_STREAM]:
        raise ConfigError(f"{where}: protocols: a stream has no paths, and the stand-in no streams", line)
    return protocols or ("http", "https")


def paths_of(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    given = fields.strings(entry, "paths", where)
    for number, path in enumerate(given):
        line = line_of(entry["paths"], number)
        if path.startswith("~/"):
            fields.regex(path[1:], where, line)
        elif path.startswith("/"):
            _plain_path(path, where, line)
        else:
            raise ConfigError(
                f"{where}: the path {path!r} begins neither with / nor, as a regular expression, with ~/",
                line,
            )
    return given


def _plain_path(path: str, where: str, line: int | None) -> None:
    fields.percent_encoded(path, where, line)
    if "//" in path:
        raise ConfigError(f"{where}: the path {path!r} has an empty segment", line)
    sent = path.encode().decode("latin-1")
    if (normal := paths.normalized(sent)) != sent:
        met = normal.encode("latin-1").decode("utf-8", "replace")
        raise ConfigError(f"{where}: no request has the path {path!r}: write {met!r}", line)


def hosts_of(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    hosts = fields.strings(entry, "hosts", where)
    for number, host in enumerate(hosts):
        if fault := _wrong_host(host):
            raise ConfigError(f"{where}: hosts: {host!r}: {fault}", line_of(entry["hosts"], number))
    return hosts


def _wrong_host(host: str) -> str:
    if host.count("*") > 1:
        return "it has more than one wildcard"
    if "*" in host and not (host.startswith("*.") or host.partition(":")[0].endswith(".*")):
        return "a wildcard is the first label or the last one"
    return "" if host_and_port(host.replace("*", "wild")) else "it is no host name"


def host_and_port(text: str) -> bool:
    """Whether it is a name or an address, with a port or without."""
    name, colon, port = text.rpartition(":") if re.search(r":[^\]:]*$", text) else (text, "", "")
    if colon and not (port.isascii() and port.isdigit() and int(port) <= 65535):
        return False
    return host(name.removeprefix("[").removesuffix("]") if name.startswith("[") else name)


def host(name: str) -> bool:
    """Whether Kong takes it for a host: in ASCII, labels of letters, digits, `-` and `_`, or an address."""
    if ":" in name or re.fullmatch(r"[0-9.]+", name):
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True
    return _HOST.fullmatch(name) is not None


def headers_of(entry: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    given = fields.record(entry.get("headers") or {}, f"headers of {where}", line_of(entry, "headers"))
    headers = {name: fields.strings(given, name, where) for name in given}
    for name, values in headers.items():
        line = line_of(given, name)
        if name.lower() == "host":
            raise ConfigError(f"{where}: headers: cannot contain 'host', which is hosts'", line)
        if not _HEADER.fullmatch(name):
            raise ConfigError(f"{where}: headers: {name!r} is no name of a header", line)
        if not values or not all(values):
            raise ConfigError(f"{where}: headers: {name}: it needs values, and none of them empty", line)
        for value in values:
            if value.startswith("~*"):
                fields.regex(value[2:], where, line)
    return headers
