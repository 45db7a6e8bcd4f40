"""Where a request's body ends (RFC 9112 §6.3), and which requests leave that open to two readings.

llhttp refuses most of these by itself, in strict mode: bare CR and LF, folded lines, broken chunks, different lengths.
Here is what it lets pass.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Header = tuple[bytes, bytes]

VERSIONS = frozenset({"1.0", "1.1"})


class Refusal(NamedTuple):
    """Why a request is not served: the connection ends after this answer."""

    status: int
    detail: str


def refusal(version: str, headers: Sequence[Header]) -> Refusal | None:
    """The first reason not to serve a request with this head. Names are in lower case."""
    if version not in VERSIONS:
        return Refusal(505, "This server speaks HTTP/1.1.")
    names = [name for name, _ in headers]
    hosts = names.count(b"host")
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        return Refusal(400, "A request names one host.")
    if b"transfer-encoding" in names:
        return _coding_refusal(version, headers)
    return None


def _coding_refusal(version: str, headers: Sequence[Header]) -> Refusal | None:
    if version == "1.0":
        return Refusal(400, "HTTP/1.0 has no transfer codings.")
    codings = [value.strip(b" \t").lower() for name, value in headers if name == b"transfer-encoding"]
    return None if codings == [b"chunked"] else Refusal(400, "The only transfer coding taken is chunked.")


def without_upgrade(version: str, headers: Iterable[Header]) -> bytes:
    """A head that frames its body as `headers` do, and offers no upgrade: what a parser that stopped at the offer
    is to go on with."""
    lines = [b"POST / HTTP/%s" % version.encode(), b"host: upgrade.invalid"]
    for name, value in headers:
        if name in {b"content-length", b"transfer-encoding"}:
            lines.append(name + b": " + value)
        elif name == b"connection":
            kept = [token for token in value.split(b",") if token.strip(b" \t").lower() != b"upgrade"]
            lines.append(b"connection: " + b",".join(kept))
    return b"\r\n".join([*lines, b"", b""])
