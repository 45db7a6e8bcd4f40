"""Who may read the Admin API, and what: the rules of kong/admin-read-only.conf, which Kong's nginx applies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LOOPBACK = r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])"
_HOST = re.compile(rf"{_LOOPBACK}(:\d+)?", re.IGNORECASE)
_ABSOLUTE = re.compile(r"https?://([^/?]*)", re.IGNORECASE)
_SHOWN = re.compile(
    r"/((status|endpoints|schemas|services|routes|plugins|upstreams|tags|metrics)(/[^?]*)?)?(\?.*)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Refusal:
    status: int
    message: str


def refusal(method: str, target: str, path: str, headers: Mapping[str, str]) -> Refusal | None:
    """Why a request is refused, or None. `target` is as the client wrote it, `path` as it is understood."""
    if method not in ("GET", "HEAD"):
        return Refusal(405, "This Admin API is read only: GET and HEAD")
    host = headers.get("Host", "")
    named = _ABSOLUTE.match(target)
    if not _HOST.fullmatch(host) or (named and not _HOST.fullmatch(named[1])):
        return Refusal(421, "This Admin API is for its own machine: localhost, 127.0.0.1 or [::1]")
    origin = headers.get("Origin", "")
    of_another_page = headers.get("Sec-Fetch-Site", "").lower() in ("cross-site", "same-site")
    if (origin and origin.lower() != f"http://{host}".lower()) or of_another_page:
        return Refusal(403, "Pages of other origins may not read this Admin API")
    written = target[named.end() :] if named else target
    if not (_SHOWN.fullmatch(written) and _SHOWN.fullmatch(path)):
        return Refusal(403, "This path is not part of what this Admin API shows")
    return None
