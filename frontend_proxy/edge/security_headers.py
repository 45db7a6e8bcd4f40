"""The headers that tell browsers how responses may be used."""

from functools import lru_cache
from typing import NamedTuple

from frontend_proxy.cookies import Header
from frontend_proxy.edge.paths import RESUME

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'{assets}; style-src 'self'{assets}; img-src 'self'{pictures}; "
    "font-src 'self'{assets}; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Not no-referrer: with it browsers send forms with `Origin: null` (Fetch §3.2), which the CSRF check
    # refuses.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_LIFETIMES = frozenset({b"cache-control", b"cdn-cache-control", b"expires", b"surrogate-control"})
_TRANSPORT = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


class Origins(NamedTuple):
    """Those of a CDN from which pages take their static files and their pictures; empty: none but this site's."""

    assets: str = ""
    media: str = ""


NO_CDN = Origins()


def secured(headers: list[Header], path: str, *, production: bool, origins: Origins = NO_CDN) -> list[Header]:
    """`headers` with the site's rules in place of an upstream's. `path` is decoded.

    A response without `Cache-Control` is not stored: most of them are for one visitor. Nor is one that sets a cookie,
    whatever an upstream says of it: RFC 9111 lets shared caches keep `Set-Cookie`, and give a session to the next one.
    """
    # A CDN passes on what it fetched here, and this site's pages use it.
    passed_on = path.startswith("/media/") or bool(origins.assets and path.startswith("/static/"))
    data = path.startswith("/api/") and path != RESUME
    rules, ruled = _rules(production, passed_on, data, origins)
    names = {name.lower() for name, _ in headers}
    if b"set-cookie" in names:
        headers = [(name, value) for name, value in headers if name.lower() not in _LIFETIMES]
        names -= _LIFETIMES
    if not ruled.isdisjoint(names):
        headers = [(name, value) for name, value in headers if name.lower() not in ruled]
    if b"cache-control" in names:
        return [*headers, *rules]
    return [*headers, *rules, (b"cache-control", b"no-store")]


@lru_cache(maxsize=32)
def _rules(
    production: bool, passed_on: bool, data: bool, origins: Origins
) -> tuple[list[Header], frozenset[bytes]]:
    """The headers, and their names. `data`: what is no page."""
    rules = [
        *_ALWAYS,
        (b"cross-origin-resource-policy", b"cross-origin" if passed_on else b"same-origin"),
        (b"content-security-policy", _DATA_POLICY.encode() if data else _page_policy(origins)),
    ]
    if production:
        rules.append(_TRANSPORT)
    return rules, frozenset(name for name, _ in rules)


@lru_cache(maxsize=8)
def _page_policy(origins: Origins) -> bytes:
    pictures = dict.fromkeys(filter(None, origins))  # each once
    return _PAGE_POLICY.format(
        assets=f" {origins.assets}" if origins.assets else "",
        pictures="".join(f" {origin}" for origin in pictures),
    ).encode()
