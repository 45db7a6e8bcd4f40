"""Keeps Kong's nginx from evaluating preconditions that the upstream has to evaluate.

Where Kong buffers the answer, as it does wherever a plugin has a `response` phase, or makes it itself, nginx compares
the request's preconditions with the answer's `ETag` and `Last-Modified` (its not_modified filter, which passes over
proxied answers). After a successful change they differ, and the client would get a broken 412, or with
`If-None-Match: *` an empty 304, for a request that took effect. Where the answer has no `Last-Modified`, a request with
`If-Unmodified-Since` is answered nothing at all. So the upstream gets these headers under another name, and nginx none.
"""

from collections.abc import Mapping
from typing import Any

from kong.plugins.runtime.pdk import Kong

UPSTREAM_NAMES = {
    "if-match": "X-If-Match",
    "if-unmodified-since": "X-If-Unmodified-Since",
    "if-none-match": "X-If-None-Match",
    "if-modified-since": "X-If-Modified-Since",
}
"""The names under which services read these headers (docs/contracts.md)."""


def rename(kong: Kong, headers: Mapping[str, Any]) -> None:
    """Gives the request's preconditions the names that only the upstream reads."""
    for name, other in UPSTREAM_NAMES.items():
        if name in headers:
            value = headers[name]
            kong.service.request.clear_header(name)
            kong.service.request.set_header(
                other, ", ".join(value) if isinstance(value, list) else value or ""
            )
