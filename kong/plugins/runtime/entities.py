"""Kong's own entities, as far as a plugin has use for them; a field that Kong does not give is empty or None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kong.plugins.runtime.wire import bytes_field, fields, signed


@dataclass(frozen=True, slots=True)
class Route:
    """The route that matched the request."""

    id: str
    name: str | None
    protocols: tuple[str, ...]
    methods: tuple[str, ...]
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    tags: tuple[str, ...]
    service_id: str | None


@dataclass(frozen=True, slots=True)
class Service:
    """The service that the route leads to."""

    id: str
    name: str | None
    protocol: str
    host: str
    port: int
    path: str | None
    tags: tuple[str, ...]


def route(payload: bytes) -> Route | None:
    """None where Kong has no route."""
    if not payload:
        return None
    texts, _ = _fields(payload)
    service = bytes_field(payload, 18)
    return Route(
        id=_first(texts, 1) or "",
        name=_first(texts, 4),
        protocols=texts.get(5, ()),
        methods=texts.get(6, ()),
        hosts=texts.get(7, ()),
        paths=texts.get(8, ()),
        tags=texts.get(17, ()),
        service_id=_text(bytes_field(service, 1) or b"") if service else None,
    )


@lru_cache(maxsize=256)
def service(payload: bytes) -> Service | None:
    """None where the route leads to none."""
    if not payload:
        return None
    texts, numbers = _fields(payload)
    return Service(
        id=_first(texts, 1) or "",
        name=_first(texts, 4),
        protocol=_first(texts, 6) or "",
        host=_first(texts, 7) or "",
        port=numbers.get(8, 0),
        path=_first(texts, 9),
        tags=texts.get(13, ()),
    )


def _fields(payload: bytes) -> tuple[Mapping[int, tuple[str, ...]], Mapping[int, int]]:
    texts: dict[int, tuple[str, ...]] = {}
    numbers: dict[int, int] = {}
    for number, value in fields(payload):
        if isinstance(value, int):
            numbers[number] = signed(value)
        else:
            texts[number] = (*texts.get(number, ()), _text(value))
    return texts, numbers


def _first(texts: Mapping[int, tuple[str, ...]], number: int) -> str | None:
    found = texts.get(number)
    return found[0] if found else None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
