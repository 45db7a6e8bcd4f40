"""The forms of a request target (RFC 9112 §3.2)."""

from typing import NamedTuple

SCHEMES = (b"http://", b"https://")
_MORE_THAN_AUTHORITY = frozenset(b"@\\")


class Target(NamedTuple):
    """`path` is path and query. `authority` is None where the `Host` header says it."""

    path: bytes
    authority: bytes | None = None


def read(target: bytes) -> Target | None:
    """A target in origin-form or absolute-form, or `*`. None for what a server that is no proxy has no answer to."""
    if b"#" in target:
        return None  # A fragment is never sent.
    if target.startswith(b"/") or target == b"*":
        return Target(target)
    scheme = next((scheme for scheme in SCHEMES if target[: len(scheme)].lower() == scheme), None)
    if scheme is None:
        return None
    rest = target[len(scheme) :]
    end = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
    authority, path = rest[:end], rest[end:]
    if not authority or not _MORE_THAN_AUTHORITY.isdisjoint(authority):
        return None
    return Target(path if path.startswith(b"/") else b"/" + path, authority)
