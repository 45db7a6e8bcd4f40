"""Web origins (RFC 6454) in one normal form, so that two spellings of one origin are equal.

The normal form is that of browsers (WHATWG URL, "host parsing" and "origin"): lower case, A-labels (RFC 5890) for a
host that is not ASCII, IPv6 in brackets in its shortest spelling, no default port. The root dot at the end of a name
goes as well: DNS gives both spellings the same answer.
"""

import re
from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple

import idna

LONGEST_KEPT = 262
"""Characters of an authority whose reading is remembered: those of the longest name, and a port."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]{0,5}))?")
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)


class Origin(NamedTuple):
    """Scheme, host and port in normal form: equal tuples are one origin. `str()` gives its serialisation."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """What a `Host` header says of it: the port only where it is not the scheme's own."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"


def parse(text: str) -> Origin:
    """The origin that `text` spells: `scheme://host[:port]`, as in an `Origin` header. Raises ValueError."""
    scheme, separator, authority = text.partition("://")
    if not separator:
        raise ValueError("expected http(s)://host[:port]")
    return of_authority(scheme.lower(), authority)


def of_setting(text: str) -> Origin:
    """As `parse`; one slash at the end, as people copy it from a browser, is let pass. Raises ValueError."""
    return parse(text.removesuffix("/"))


def of_authority(scheme: str, authority: str) -> Origin:
    """The origin of `host[:port]`, as in a `Host` header of a request by `scheme`. Raises ValueError."""
    # A site is asked for by its few names; longer ones are up to whoever sent them, and not kept.
    return _remembered(scheme, authority) if len(authority) <= LONGEST_KEPT else _origin(scheme, authority)


def _origin(scheme: str, authority: str) -> Origin:
    match = _AUTHORITY.fullmatch(authority)
    if match is None or scheme not in _DEFAULT_PORTS:
        raise ValueError("expected http(s)://host[:port]")
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return Origin(scheme, _host(match["host"]), port)


_remembered = lru_cache(maxsize=256)(_origin)


def _host(text: str) -> str:
    if text.startswith("["):
        return f"[{IPv6Address(text[1:-1]).compressed}]" if "%" not in text else _refuse()
    name = text.lower()
    if not name.isascii():
        try:
            name = idna.encode(text, uts46=True, transitional=False).decode("ascii")
        except idna.IDNAError:
            _refuse()
    name = name.removesuffix(".")
    return name if _NAME.fullmatch(name) else _refuse()


def _refuse() -> str:
    raise ValueError("the host is not one")
