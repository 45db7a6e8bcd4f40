"""Refuses cross-site requests by Fetch Metadata and `Origin`, which no page can forge. Forms need no tokens.

A browser that sends cookies with an unsafe method also sends `Sec-Fetch-Site` (all since 2023) or at least `Origin`.
A request with neither is not from a browser, so it uses no visitor's cookies.
"""

from collections.abc import Collection, Mapping
from urllib.parse import unquote

from common import origins
from common.origins import Origin

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def refusal(
    method: str, path: bytes, headers: Mapping[str, list[str]], own: Collection[Origin]
) -> str | None:
    """Why this request may not use the visitor's session, or None if it may.

    `path` is raw. `headers` maps lower-case names to all their values; `own` are the origins that this site is known
    by.
    """
    sites = headers.get("sec-fetch-site", [])
    if method in SAFE:
        return _foreign_read(path, sites, headers) if sites else None
    senders = headers.get("origin", [])
    if len(sites) > 1 or len(senders) > 1:
        return "A request names its origin once."
    if sites and sites[0] not in {"same-origin", "none"}:
        return "The request was started by another site."
    if senders and _origin(senders[0]) not in own:
        return "The request's origin is not this site."
    return None


def _origin(text: str) -> Origin | None:
    """None for `null` and other text that is not an origin: it is never one of ours."""
    try:
        return origins.parse(text)
    except ValueError:
        return None


def _foreign_read(path: bytes, sites: list[str], headers: Mapping[str, list[str]]) -> str | None:
    """Another site may link here. It may not load the API into its pages, as an image, a script or a fetch."""
    foreign = any(site in {"cross-site", "same-site"} for site in sites)
    navigates = headers.get("sec-fetch-mode") == ["navigate"]
    # Decoded, as those read it who serve it: `/%61pi/home` is the API's.
    if foreign and not navigates and unquote(path.decode("ascii")).startswith("/api/"):
        return "The API is not for other sites' pages."
    return None
