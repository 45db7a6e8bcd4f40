"""Reading and writing cookies. A browser keeps its tokens in cookies alone (docs/decisions/0020-session-cookies.md)."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeGuard

Header = tuple[bytes, bytes]

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,4096}")
"""RFC 6750 §2.1, b64token, with a bound. Nothing else is put into a header."""


class Tokens(NamedTuple):
    """The tokens of a session, from auth. Lifetimes are in seconds from now."""

    access: str
    refresh: str
    refresh_lifetime: int


class SentTokens(NamedTuple):
    """The tokens in a request's cookies."""

    access: str | None
    refresh: str | None


class SessionCookies:
    """Names and attributes of the session's cookies.

    `secure` (everywhere but in development): names with `__Host-`, which browsers accept only over TLS, for every
    path, and never from a sibling domain (RFC 6265bis §4.1.3.2).
    """

    def __init__(self, *, secure: bool) -> None:
        self.access_name = "__Host-access_token" if secure else "access_token"
        self.refresh_name = "__Host-refresh_token" if secure else "refresh_token"
        self._refresh_path = "/" if secure else "/api"
        self._attributes = "; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def read(self, headers: Iterable[Header]) -> SentTokens:
        """The session's tokens among a request's headers."""
        return self.among(parse(headers))

    def among(self, cookies: Mapping[str, str]) -> SentTokens:
        """The session's tokens among a request's cookies."""
        return SentTokens(_token(cookies.get(self.access_name)), _token(cookies.get(self.refresh_name)))

    def start(self, tokens: Tokens) -> list[Header]:
        """`Set-Cookie` headers that begin or renew a session.

        The cookie of the access token lives longer than the token, so that a page knows that there is a session to
        renew.
        """
        return [
            self._set(self.access_name, tokens.access, "/", tokens.refresh_lifetime),
            self._set(self.refresh_name, tokens.refresh, self._refresh_path, tokens.refresh_lifetime),
        ]

    def end(self) -> list[Header]:
        """`Set-Cookie` headers that make a browser forget the session."""
        return [
            self._set(self.access_name, "", "/", 0),
            self._set(self.refresh_name, "", self._refresh_path, 0),
        ]

    def _set(self, name: str, value: str, path: str, lifetime: int) -> Header:
        return b"set-cookie", f"{name}={value}; Path={path}; Max-Age={lifetime}{self._attributes}".encode()


def parse(headers: Iterable[Header]) -> dict[str, str]:
    """The cookies of a request. A name that comes twice with different values is left out: a sibling domain may
    have set one of them, and their order does not tell which."""
    found: dict[str, str] = {}
    planted: set[str] = set()
    for name, value in headers:
        if name != b"cookie":
            continue
        for pair in value.decode("latin-1").split(";"):
            # Browsers strip these two alone. With other white space before it, a name is not the one with `__Host-`.
            key, equals, text = pair.strip(" \t").partition("=")
            if not equals:
                continue
            if found.setdefault(key, text) != text:
                planted.add(key)
    for key in planted:
        del found[key]
    return found


def preference(name: str, value: str, *, secure: bool) -> Header:
    """A `Set-Cookie` for what is not secret, such as the language; kept for a year, and forgotten where it is empty."""
    return (
        b"set-cookie",
        f"{name}={value}; Path=/; Max-Age={31536000 if value else 0}; HttpOnly; SameSite=Lax".encode()
        + (b"; Secure" if secure else b""),
    )


def is_token(text: object) -> TypeGuard[str]:
    """Whether `text` is safe in a cookie and in an `Authorization` header."""
    return isinstance(text, str) and _TOKEN.fullmatch(text) is not None


def _token(text: str | None) -> str | None:
    return text if is_token(text) else None
