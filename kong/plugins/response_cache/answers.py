"""Answers made of what is kept: their age, where they came from (RFC 9211), and 304 for who has them already. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from kong.plugins.response_cache.entries import Entry
from kong.plugins.runtime.messages import Value
from kong.plugins.runtime.pdk import HeaderValue

CACHE_STATUS = "Cache-Status"
CDN_CACHE_CONTROL = "CDN-Cache-Control"
NAME = "gatehouse"
_OF_A_304 = ("cache-control", "cache-tag", "content-location", "etag", "expires", "vary")
"""RFC 9110 §15.4.5."""

Headers = dict[str, str | list[str]]


class Made(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, HeaderValue]


def from_cache(
    entry: Entry,
    now: float,
    outcome: str,
    *,
    known: str | None,
    head: bool,
    request_id: str,
    cdn_ttl: int = 0,
) -> Made:
    """`now` in seconds of the clock that `entry.stored_at` is of; `outcome` as it is counted; `cdn_ttl` in seconds."""
    age, kept = entry.age(now), entry.kept
    ttl = int(kept.fresh_for - age)
    detail = {"collapsed": "fwd=miss; collapsed"}.get(outcome, f"hit; ttl={ttl}")
    own: Headers = {"Age": str(int(age + kept.age_before)), CACHE_STATUS: status_line(detail)}
    if cdn_ttl and outcome != "stale":
        own[CDN_CACHE_CONTROL] = for_cdns(cdn_ttl, kept.fresh_for, age + kept.age_before)
    if kept.status == 200 and has(known, kept.headers.get("etag")):
        return Made(304, b"", not_modified(kept.headers) | own)
    body = kept.body if kept.status == 200 else _for_this_request(kept.body, request_id)
    return Made(kept.status, b"" if head else body, entry.headers.beside(own))


def for_cdns(ttl: int, fresh_for: float, age: float) -> str:
    """What a CDN is told (RFC 9213): its time begins now, whatever the answer's `age` is. All in seconds."""
    return f"public, max-age={int(age) + int(min(ttl, fresh_for))}"


def not_modified(headers: Mapping[str, Value]) -> Headers:
    return {name: str(headers[name]) for name in _OF_A_304 if name in headers}


def status_line(detail: str) -> str:
    return f"{NAME}; {detail}"


def has(known: str | None, tag: Value | None) -> bool:
    """Whether If-None-Match names the tag, by the weak comparison (RFC 9110 §13.1.2)."""
    if known is None or not isinstance(tag, str):
        return False
    return known.strip() == "*" or tag.removeprefix("W/") in {
        each.strip().removeprefix("W/") for each in known.split(",")
    }


def _for_this_request(body: bytes, request_id: str) -> bytes:
    """A problem document names the request that it answers."""
    try:
        document: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        return body
    if "request_id" in document:
        document["request_id"] = request_id
    return msgspec.json.encode(document)
