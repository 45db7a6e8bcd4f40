"""Reads a URL that may hold credentials (a Redis, a database, a mail server) in one way for all parts.

User and password are percent-decoded (RFC 3986 §2.1). A password may come apart from its URL, where no character of it
means anything: that is how compose passes passwords on. No error message quotes the URL.

A PostgreSQL may be several hosts, as libpq takes them: `postgresql://user@a:5432,b:5432/name?target_session_attrs=…`.
"""

from collections.abc import Collection
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

import msgspec


class Address(msgspec.Struct, frozen=True):
    """`host` and `port` are the first ones; no `port`: None. `path` begins with a slash, or is empty."""

    scheme: str
    host: str
    port: int | None
    user: str | None
    password: str | None
    path: str
    options: dict[str, str]


def parse(url: str, schemes: Collection[str]) -> Address:
    """Reads `scheme://[user[:password]@]host[:port][/path][?option=value]`.

    Raises ValueError with one sentence that quotes nothing of the URL.
    """
    try:
        parts = urlsplit(url)
        hosts = _hosts(parts)
    except ValueError:
        raise ValueError(f"its port is no number or its host is malformed; {_ADVICE}") from None
    if parts.scheme not in schemes:
        raise ValueError(f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if parts.fragment or url != url.strip() or any(ord(character) < 0x20 for character in url):
        raise ValueError(f"it has a character that no URL may have there; {_ADVICE}")
    if not all(host for host, _ in hosts):
        raise ValueError(f"it names no host; {_ADVICE}")
    if url.count("@") > 1 or "@" in parts.path + parts.query:
        # Programs differ in which of two separates, so the host would depend on who reads it.
        raise ValueError(f"it has an @ too many; {_ADVICE}")
    (host, port), *_ = hosts
    return Address(
        scheme=parts.scheme,
        host=host,
        port=port,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        path=unquote(parts.path),
        options=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


_OF_MANY_HOSTS = ("postgresql", "postgres")


def _hosts(parts: SplitResult) -> list[tuple[str, int | None]]:
    """Each host, "" where none is named, with its port. Raises ValueError."""
    where = parts.netloc.rpartition("@")[2]
    found = [
        urlsplit(f"//{each}") for each in (where.split(",") if parts.scheme in _OF_MANY_HOSTS else [where])
    ]
    return [(each.hostname or "", each.port) for each in found]


def with_password(url: str, password: str, schemes: Collection[str]) -> str:
    """`url` with `password`, encoded, in place of the one it may have. Raises ValueError as `parse` does."""
    address = parse(url, schemes)
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    credentials = f"{quote(address.user or '', safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{credentials}@{where}"))


_ADVICE = (
    "a password with special characters belongs into the variable of its own, or percent-encoded into the URL"
)
