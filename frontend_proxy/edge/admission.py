"""What a request must be before anything looks at it: one table of checks, from its line and headers
alone."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from common import origins
from common.origins import Origin
from frontend_proxy.edge import csrf, paths
from frontend_proxy.problems import Problem

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024

_LENGTH = re.compile(r"[0-9]{1,15}")

Headers = Mapping[str, list[str]]


class Line(NamedTuple):
    """A request's line, raw."""

    method: str
    path: bytes
    query: bytes


class Site(NamedTuple):
    """What this proxy is known as. `origin` is None where it was not configured (development)."""

    origin: Origin | None
    strict_host: bool
    max_body: int


def check(line: Line, headers: Headers, scheme: str, site: Site) -> None:
    """Raises the first reason not to serve this request. `headers` maps lower-case names to all their
    values."""
    refused = refusal(line, headers, scheme, site)
    if refused is not None:
        raise refused


def refusal(line: Line, headers: Headers, scheme: str, site: Site) -> Problem | None:
    """The first reason not to serve this request, or None."""
    return (
        _size(line, headers)
        or _target(line)
        or _framing(headers, site.max_body)
        or _host(line, headers, site)
        or _origin(line, headers, scheme, site)
    )


def _size(line: Line, headers: Headers) -> Problem | None:
    if len(line.path) + len(line.query) > paths.MAX_TARGET:
        return Problem(
            414, "request-too-large", f"The request target exceeds {paths.MAX_TARGET} bytes.", close=True
        )
    count = size = 0
    for name, values in headers.items():
        for value in values:
            count += 1
            size += len(name) + len(value) + 4
    if count > MAX_HEADERS or size > MAX_HEADER_BYTES:
        return Problem(
            431,
            "request-too-large",
            f"At most {MAX_HEADERS} headers of {MAX_HEADER_BYTES} bytes together are taken.",
            close=True,
        )
    return None


def _target(line: Line) -> Problem | None:
    if line.method not in METHODS:
        return Problem(501, "", f"The method {line.method} is not implemented.", close=True)
    fault = paths.fault(line.path, line.query)
    return Problem(400, "ambiguous-path", fault, close=True) if fault else None


def _framing(headers: Headers, max_body: int) -> Problem | None:
    """RFC 9112 §6.1 and §6.3: where a message ends must have one reading only."""
    lengths, codings = headers.get("content-length", []), headers.get("transfer-encoding", [])
    if lengths and codings:
        return _bad("A message has a Content-Length or a Transfer-Encoding, not both.")
    if len(lengths) > 1 or (lengths and not _LENGTH.fullmatch(lengths[0])):
        return _bad("The Content-Length is not one number.")
    if codings and [coding.strip().lower() for coding in codings] != ["chunked"]:
        return _bad("The only transfer coding taken is chunked.")
    if lengths and int(lengths[0]) > max_body:
        return too_large(max_body)
    return None


def too_large(max_body: int) -> Problem:
    """413, also for a body whose length shows only while it arrives."""
    return Problem(413, "request-too-large", f"A request body is at most {max_body} bytes.", close=True)


def _host(line: Line, headers: Headers, site: Site) -> Problem | None:
    hosts = headers.get("host", [])
    # Without a port, the public origin's scheme says which one is meant: TLS may end before this proxy.
    named = _named(site.origin.scheme if site.origin else "http", hosts[0]) if len(hosts) == 1 else None
    if named is None:
        return _bad("A request names one host.")
    if not site.strict_host or line.path.startswith(b"/health"):
        return None  # Probes come by address.
    if named != site.origin:
        return Problem(421, "", "This host is not served here.")
    return None


def _named(scheme: str, host: str) -> Origin | None:
    try:
        return origins.of_authority(scheme, host) if host.isascii() else None
    except ValueError:
        return None


def _origin(line: Line, headers: Headers, scheme: str, site: Site) -> Problem | None:
    own = {site.origin} if site.origin else set()
    if not site.strict_host:
        own.add(origins.of_authority(scheme, headers["host"][0]))
    reason = csrf.refusal(line.method, line.path, headers, own)
    return Problem(403, "cross-site-request", reason) if reason else None


def _bad(detail: str) -> Problem:
    return Problem(400, "", detail, close=True)
