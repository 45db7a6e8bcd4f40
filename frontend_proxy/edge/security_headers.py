"""The headers that tell browsers how responses may be used."""

from frontend_proxy.cookies import Header
from frontend_proxy.edge.paths import RESUME

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images}; font-src 'self'; "
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
_TRANSPORT = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


def secured(headers: list[Header], path: str, *, production: bool, images: str = "") -> list[Header]:
    """`headers` with the site's rules in place of an upstream's. `path` is decoded; `images`: another origin whose
    pictures pages show.

    A response without `Cache-Control` is not stored: most of them are for one visitor.
    """
    # A CDN passes on what it fetched here, and its pictures are shown by this site's pages.
    shared = b"cross-origin" if path.startswith("/media/") else b"same-origin"
    rules = [
        *_ALWAYS,
        (b"cross-origin-resource-policy", shared),
        (b"content-security-policy", _policy(path, images)),
    ]
    if production:
        rules.append(_TRANSPORT)
    ruled = {name for name, _ in rules}
    kept = [(name, value) for name, value in headers if name.lower() not in ruled]
    if not any(name.lower() == b"cache-control" for name, _ in kept):
        rules.append((b"cache-control", b"no-store"))
    return kept + rules


def _policy(path: str, images: str) -> bytes:
    data = path.startswith("/api/") and path != RESUME
    policy = _DATA_POLICY if data else _PAGE_POLICY.format(images=f" {images}" if images else "")
    return policy.encode()
