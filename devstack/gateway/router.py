"""Which route a request takes: Kong's `traditional_compatible` router (kong/router/transform.lua)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from devstack.gateway.entities import Route
from devstack.gateway.fields import python_regex
from devstack.gateway.headers import Headers


@dataclass(frozen=True)
class Match:
    """`matched` is the part of the path that the route's own path took."""

    route: Route
    matched: str

    @property
    def stripped(self) -> str | None:
        return self.matched if self.route.strip_path else None


@dataclass(frozen=True)
class _Candidate:
    """A route, or the part of one whose paths are of one length: those rank alike."""

    route: Route
    paths: tuple[str, ...]
    rank: tuple[int, ...]


class Router:
    def __init__(self, routes: Sequence[Route]) -> None:
        candidates = [candidate for route in routes for candidate in _split(route)]
        self._candidates = sorted(candidates, key=lambda candidate: candidate.rank, reverse=True)

    def match(self, method: str, host: str, port: int, path: str, headers: Headers) -> Match | None:
        """`host` is without its port, `port` the one that the request came in on, `path` normalized."""
        for candidate in self._candidates:
            route = candidate.route
            if route.methods and method not in route.methods:
                continue
            if route.hosts and not any(_host_matches(pattern, host, port) for pattern in route.hosts):
                continue
            if not _headers_match(route, headers):
                continue
            matched = _path_match(candidate.paths, path)
            if matched is not None:
                return Match(route, matched)
        return None


def _split(route: Route) -> list[_Candidate]:
    groups: dict[int, list[str]] = {}
    for path in route.paths:
        groups.setdefault(0 if path.startswith("~") else len(path), []).append(path)
    parts = [tuple(paths) for paths in groups.values()] or [()]
    return [_Candidate(route, paths, _rank(replace(route, paths=paths))) for paths in parts]


def _rank(route: Route) -> tuple[int, ...]:
    """Compares as Kong's 64-bit priority does: the kinds of conditions first, a path's length last."""
    kinds = sum(bool(condition) for condition in (route.methods, route.hosts, route.headers, route.paths))
    plain_hosts = bool(route.hosts) and not any("*" in host for host in route.hosts)
    regex = bool(route.paths) and route.paths[0].startswith("~")
    length = len(route.paths[0]) if route.paths and not regex else 0
    return (kinds, plain_hosts, len(route.headers), regex, route.regex_priority if regex else 0, length)


def _path_match(paths: tuple[str, ...], path: str) -> str | None:
    if not paths:
        return ""
    for pattern in paths:
        if pattern.startswith("~"):
            found = re.match(python_regex(pattern[1:]), path)
            if found:
                return found[0]
        elif path.startswith(pattern):
            return pattern
    return None


def _host_matches(pattern: str, host: str, port: int) -> bool:
    name, separator, wanted_port = pattern.partition(":")
    if separator and wanted_port != str(port):
        return False
    if name.startswith("*"):
        return host.endswith(name[1:])
    if name.endswith("*"):
        return host.startswith(name[:-1])
    return host == name


def _headers_match(route: Route, headers: Headers) -> bool:
    """Every header that the route names has one of its values; `~*` begins a regular expression."""
    for name, wanted in route.headers.items():
        values = [value.lower() for value in headers.get_all(name)]
        if not any(_value_matches(pattern, value) for pattern in wanted for value in values):
            return False
    return True


def _value_matches(pattern: str, value: str) -> bool:
    if pattern.startswith("~*"):
        return re.search(python_regex(pattern[2:].lower()), value) is not None
    return pattern.lower() == value
