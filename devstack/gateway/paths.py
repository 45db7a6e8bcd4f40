"""Kong's view of a request's path: what it matches on, what it forwards.

After kong/tools/uri.lua and kong/router/utils.lua.
Paths are text in ISO 8859-1, one character a byte.
"""

from __future__ import annotations

import re

_RESERVED = frozenset("!*'();:@&=+$,/?%#[]")
_TRIPLET = re.compile(r"%([0-9A-Fa-f]{2})")
_UNSAFE = re.compile(r"[^!#$&'()*+,/:;=?@\[\]A-Za-z0-9\-_.~%]")


def normalized(path: str) -> str:
    """What routes match on: unreserved characters decoded, dot segments removed, slashes merged."""

    def decoded(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return match[0].upper() if character in _RESERVED else character

    path = re.sub(r"/{2,}", "/", _TRIPLET.sub(decoded, path))
    segments: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    last = path.rsplit("/", 1)[-1]
    if last in (".", ".."):
        segments.append("")
    return "/" + "/".join(segments)


def escaped(path: str) -> str:
    """Fit for a request line again."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", path)


def upstream_path(path: str, base: str | None, stripped: str | None) -> str:
    """The path that the upstream gets (Kong's path_handling v0).

    `path` is normalized; `base` the service's own; `stripped` what the route matched, where it strips that.
    """
    base = base or "/"
    if stripped is None:
        if base.endswith("/"):
            return base + path[1:]
        return base if path == "/" else base + path

    rest = _without_leading_dots(path[len(stripped) :])
    if rest == "":
        if base == "/":
            return "/"
        wants_slash = len(path) > 1 and path.endswith("/")
        return base.rstrip("/") + ("/" if wants_slash else "")
    return base.removesuffix("/") + (rest if rest.startswith("/") else "/" + rest)


def _without_leading_dots(rest: str) -> str:
    if rest in (".", ".."):
        return ""
    for dots in ("./", "../"):
        if rest.startswith(dots):
            return rest[len(dots) :]
    return rest
