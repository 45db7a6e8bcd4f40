"""Refuses request targets that two hops could read in different ways."""

import re

RESUME = "/api/auth/resume"
"""Pages send a browser with an expired access token here, and it comes back with new cookies. Under /api, since
browsers send the refresh token to no other path in development."""

MAX_TARGET = 8 * 1024
"""Bytes of path and query together (RFC 9112 §3 asks for at least 8000)."""

_VISIBLE = re.compile(rb"[\x21-\x7e]*")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_TELLING_ESCAPE = re.compile(rb"%(?:[01][0-9a-f]|2[ef]|5c|7f|25[0-9a-f]{2})", re.IGNORECASE)
"""Escaped control characters, dots, slashes and backslashes, and escapes of escapes. No client needs them in a path."""


def fault(path: bytes, query: bytes) -> str | None:
    """What is wrong with a raw request target, or None. A query may hold any visible ASCII."""
    if not path.startswith(b"/"):
        return "The request target is not a path."
    if not _VISIBLE.fullmatch(path) or not _VISIBLE.fullmatch(query):
        return "The request target holds bytes that need escaping."
    if b"\\" in path or b"#" in path or b"//" in path:
        return "The path holds a backslash, a number sign or an empty segment."
    if b"%" in path and (_BROKEN_ESCAPE.search(path) or _TELLING_ESCAPE.search(path)):
        return "The path holds an escape that is broken, or hides a separator, a dot or a control character."
    if b"/." in path and any(segment.split(b";", 1)[0] in {b".", b".."} for segment in path.split(b"/")):
        return "The path holds a dot segment."
    return None


def local_target(target: str | None, default: str = "/") -> str:
    """`target` if it is a path on this site, else `default`: where a `next` parameter may lead to.

    Only absolute paths. Browsers read `//host`, `/\\host` and control characters as another host.
    """
    if not target or len(target) > 512 or not target.startswith("/"):
        return default
    path, _, query = target.partition("?")
    try:
        return default if fault(path.encode("ascii"), query.encode("ascii")) else target
    except UnicodeEncodeError:
        return default
