"""What a request asks of the cache, from its method, path, query and headers. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

import msgspec

from common import header_names, idempotency_key
from kong.plugins import header_limit
from kong.plugins.request_headers import API_KEYS
from kong.plugins.runtime.messages import Value

METHODS = frozenset({"GET", "HEAD"})
LONGEST_TARGET = 2048
REMEMBERED = 512
"""Targets whose reading is remembered: 3 MB, were all of them as long as they may be."""
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII).fullmatch
_CONDITIONS = ("if-match", "if-unmodified-since", "if-range", "x-if-match", "x-if-unmodified-since")
"""Those that only whoever has the thing itself may judge."""
_OF_THE_CACHES_OWN = frozenset(
    {"if-none-match", "if-modified-since", "x-if-none-match", "x-if-modified-since"}
)
"""Conditions that are judged here, on what is kept."""
_FORWARDED = (
    *("x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"),
    *("x-forwarded-path", "x-forwarded-prefix"),
)
"""What Kong tells upstream of the address that was asked: a trusted proxy's words, which are in the answer's name."""
_IDENTITY = frozenset(
    {
        *("authorization", "cookie"),
        *(name.lower() for name in (header_names.USER_ID, header_names.USER_ROLES, header_names.SESSION_ID)),
    }
)
_CREDENTIALS = API_KEYS | {"x-anonymous-consumer"}
_CONSUMERS = ("x-consumer-", "x-credential-", "x-authenticated-")
"""Whom Kong's own plugins have found, and what they found them by."""
_ANOTHER_ADDRESS = frozenset(
    {
        *("forwarded", "x-original-url", "x-original-host", "x-rewrite-url", "x-host"),
        *("x-http-method", "x-http-method-override", "x-method-override"),
    }
)
"""By which many a framework takes another address or method for the one that was asked."""
_KONGS_OWN = frozenset({*_FORWARDED, "x-forwarded-for"})
"""Of those that begin with `X-Forwarded-`."""


class Rules(msgspec.Struct, frozen=True):
    """The route's own: names in lower case. `user` and `roles` are headers, None where the answer is everybody's.

    `identity`: headers of a caller that upstream of everybody's answer is never sent.
    """

    query: frozenset[str]
    vary: tuple[str, ...]
    user: str | None = None
    roles: str | None = None
    identity: frozenset[str] = frozenset()


class Wanted(msgspec.Struct, frozen=True):
    """`key` names the answer; `query` is what upstream is to be asked; `known` are the entity tags that the caller has
    (If-None-Match); `keyed`: it has an idempotency key. `withheld` are headers that upstream is not sent."""

    key: bytes
    path: str
    query: str
    head: bool
    known: str | None
    only_if_cached: bool
    keyed: bool
    withheld: tuple[str, ...]


class NotAsked(msgspec.Struct, frozen=True):
    """The cache has nothing to do with this request; `reason` is for Cache-Status (RFC 9211)."""

    reason: str


def wanted(
    method: str, target: str, host: str, headers: Mapping[str, Value], rules: Rules, route: str
) -> Wanted | NotAsked:
    """`target` is path and query as the client spelt them; a path that could be spelt otherwise is none of the cache's.

    `route` is Kong's id of the route: two routes of one path (by host, header or method) lead to different upstreams.
    `host` is the one that Kong takes for asked: of an absolute target (RFC 9112 §3.2.2) not that of the header.

    What `no-cache` of a client asks is not done: anybody could send every request upstream by it. An answer is never
    older than its tags.
    """
    if method not in METHODS:
        return NotAsked("method")
    if "content-length" in headers or "transfer-encoding" in headers:
        return NotAsked("body")
    if "range" in headers or any(name in headers for name in _CONDITIONS):
        return NotAsked("condition")
    if header_limit.reached(headers):
        return NotAsked("headers")  # those that Kong left out would go upstream all the same
    said = directives(headers["cache-control"]) if "cache-control" in headers else {}
    if "no-store" in said:
        return NotAsked("no-store")
    if len(target) > LONGEST_TARGET:
        return NotAsked("length")
    named = _named(target, rules.query)
    if isinstance(named, NotAsked):
        return named
    path, chosen = named
    caller: tuple[str, ...] = ()
    if rules.user is not None:
        user, roles = headers.get(rules.user), headers.get(rules.roles or "", "")
        if not isinstance(user, str) or not user or not isinstance(roles, str):
            return NotAsked("caller")
        caller = (user, ",".join(sorted(roles.split(","))))
    varied = tuple(headers.get(name) for name in rules.vary)
    site = (host, _without_port(headers.get("host")), *(headers.get(name) for name in _FORWARDED))
    return Wanted(
        # As Python writes them: a header may hold what is no UTF-8, and one line is not two.
        hashlib.blake2b(repr((route, site, path, chosen, caller, varied)).encode(), digest_size=20).digest(),
        path,
        chosen,
        method == "HEAD",
        _known(headers.get("if-none-match")),
        "only-if-cached" in said,
        any(name in headers for name in idempotency_key.HEADERS),
        tuple(name for name in headers if _withheld(name, rules, kept=method == "GET")),
    )


def _withheld(name: str, rules: Rules, *, kept: bool) -> bool:
    """Whether upstream is not sent a header.

    Of everybody's answer that is whatever says who asks, or that something else is asked than the answer's name says.
    """
    if kept and name in _OF_THE_CACHES_OWN:
        return True
    if rules.user is not None:
        return False
    if name in _IDENTITY or name in rules.identity:
        return True
    if name in rules.vary:
        return False
    return (
        name in _CREDENTIALS
        or name in _ANOTHER_ADDRESS
        or name.startswith(_CONSUMERS)
        or (name.startswith("x-forwarded-") and name not in _KONGS_OWN)
    )


def _known(header: Value | None) -> str | None:
    """The entity tags of If-None-Match. One that is no text counts as absent, as malformed ones do everywhere."""
    line = ",".join(header) if isinstance(header, list) else header if isinstance(header, str) else None
    if line is not None:
        try:
            line.encode()
        except UnicodeEncodeError:  # bytes that are no UTF-8
            return None
    return line


def _without_port(host: Value | None) -> str:
    """Kong tells upstream its own port, and several gateways may have several."""
    name, _, port = str(host or "").lower().rpartition(":")
    return name if name and port.isdecimal() else str(host or "").lower()


@lru_cache(maxsize=REMEMBERED)
def _named(target: str, allowed: frozenset[str]) -> tuple[str, str] | NotAsked:
    """The path, and the query in one order and one spelling."""
    path, _, query = target.partition("?")
    if not _PLAIN(path):
        return NotAsked("path")
    chosen = _parameters(query, allowed)
    return NotAsked("query") if chosen is None else (path, chosen)


def _parameters(query: str, allowed: frozenset[str]) -> str | None:
    """The query in one order and one spelling; None with a parameter that is not `allowed`, or is there twice."""
    if not query:
        return ""
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        return None
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names) or not allowed >= set(names):
        return None
    return urlencode(sorted(pairs))


def directives(value: Value | None) -> dict[str, str]:
    """The directives of Cache-Control (RFC 9111 §5.2), names in lower case; one of several lines counts as all."""
    lines = value if isinstance(value, Sequence) and not isinstance(value, str) else [value or ""]
    found: dict[str, str] = {}
    for part in ",".join(str(line) for line in lines).split(","):
        name, _, argument = part.strip().partition("=")
        if name:
            found.setdefault(name.strip().lower(), argument.strip().strip('"'))
    return found
