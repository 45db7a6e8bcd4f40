"""What a declarative file describes: Kong's services, routes, plugins and upstreams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class ConfigError(Exception):
    """The file is not one that the gateway can run. `line` is where in it, if that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


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
    line: int | None = None
    instance: tuple[str, int | None] | None = None
    """Its instance_name, with the line."""


@dataclass
class Configuration:
    """`upstreams` are the targets, `host:port`, by the name that a service has as its host.

    `hash` is the MD5 of the file, by which Kong tells configurations apart (`/status`); zeros, if nothing is in it.
    """

    hash: str = "0" * 32
    upstreams: dict[str, list[str]] = field(default_factory=dict)
    services: list[Service] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    plugins: list[Plugin] = field(default_factory=list)
