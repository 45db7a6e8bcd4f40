"""The headers that Kong adds to answers, and KONG_HEADERS, which says which of them."""

from __future__ import annotations

import time

from devstack.gateway.exchange import Answer, Exchange, Source
from devstack.gateway.upstream import VIA

SERVER = "kong/3.9.3"
DEFAULT = "server_tokens, latency_tokens, x-kong-request-id"
_TOKENS = {
    "server_tokens": {"server", "via"},
    "latency_tokens": {"x-kong-proxy-latency", "x-kong-response-latency", "x-kong-upstream-latency"},
}


def enabled(setting: str | None) -> frozenset[str]:
    """The lower-case names that KONG_HEADERS switches on."""
    names: set[str] = set()
    for entry in (setting or DEFAULT).lower().replace(" ", "").split(","):
        names |= _TOKENS.get(entry, {entry})
    return frozenset(names - {"off"})


def advertise(exchange: Exchange, answer: Answer, proxied: bool, names: frozenset[str]) -> None:
    """`proxied`: the request went to the upstream, whoever made the answer then."""
    whole = int((time.time() - exchange.started) * 1000)
    values = {"x-kong-request-id": ("X-Kong-Request-Id", exchange.id)}
    if proxied:
        waited = int((exchange.upstream_latency or 0) * 1000)
        values["x-kong-upstream-latency"] = ("X-Kong-Upstream-Latency", str(waited))
        values["x-kong-proxy-latency"] = ("X-Kong-Proxy-Latency", str(max(whole - waited, 0)))
        values["via"] = ("Via", VIA)
    else:
        values["x-kong-response-latency"] = ("X-Kong-Response-Latency", str(whole))
    if answer.source is not Source.SERVICE:
        values["server"] = ("Server", SERVER)
    for name, (header, value) in values.items():
        if name in names:
            answer.headers.set(header, value)
