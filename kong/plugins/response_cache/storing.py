"""Which answers are kept, and for how long: RFC 9111 §3 with a shared cache's rules, and no heuristics. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime

import msgspec

from kong.plugins import header_limit
from kong.plugins.answer_headers import repeatable
from kong.plugins.response_cache.request import directives
from kong.plugins.runtime.messages import Value

MOST_TAGS = 256
LONGEST_TAG = 200
NEVER_KEPT = frozenset({"cache-status", "cdn-cache-control"})
"""Written anew on every answer, beside what answer_headers.py says."""
NO_STALE = frozenset({"must-revalidate", "proxy-revalidate", "s-maxage"})
"""An answer with one of these is not shown once its time is over (RFC 9111 §4.2.4, §5.2.2.10)."""


class Lifetimes(msgspec.Struct, frozen=True):
    """Seconds, as configured."""

    ttl: float
    not_found: float


class Kept(msgspec.Struct, frozen=True):
    """What is kept of an answer. `fresh_for` in seconds from then on."""

    status: int
    headers: dict[str, str | list[str]]
    body: bytes
    tags: frozenset[str]
    fresh_for: float
    age_before: float = 0.0
    """Its age when it came: another cache had kept it."""
    stale_allowed: bool = True


class NotKept(msgspec.Struct, frozen=True):
    """`reason` is for Cache-Status."""

    reason: str


def judge(
    status: int,
    headers: Mapping[str, Value],
    body: bytes | None,
    *,
    path: str,
    vary: Sequence[str],
    max_body: int,
    lifetimes: Lifetimes,
    shared: bool,
) -> Kept | NotKept:
    """`headers` in lower case; `body` is None where it was too large to be handed over.

    `no-cache` of an answer asks for a check before each use (RFC 9111 §5.2.2.4): its tags are that check, so without a
    tag it is not kept.
    """
    if status not in {200, 404}:
        return NotKept("status")
    if body is None or len(body) > max_body:
        return NotKept("size")
    if header_limit.reached(headers):
        return NotKept("headers")
    said = directives(headers.get("cache-control"))
    tags = _tags(headers.get("cache-tag"))
    if "set-cookie" in headers or "no-store" in said or (shared and "private" in said):
        return NotKept("private")
    if tags is None or ("no-cache" in said and not tags and status == 200):
        return NotKept("untagged")
    if "content-encoding" in headers or "content-range" in headers:
        return NotKept("encoding")
    varies = {name.strip().lower() for line in _lines(headers.get("vary")) for name in line.split(",")} - {""}
    if not varies <= {*vary, "accept-encoding"}:
        return NotKept("vary")
    age_before = _age(headers.get("age"))
    fresh_for = _lifetime(said, headers, age_before, lifetimes.not_found if status == 404 else lifetimes.ttl)
    if fresh_for <= 0:
        return NotKept("lifetime")
    return Kept(
        status,
        {
            name: [str(line) for line in value] if isinstance(value, list) else str(value)
            for name, value in headers.items()
            if repeatable(name) and name not in NEVER_KEPT
        },
        body,
        tags | {f"path:{path}"},
        fresh_for,
        age_before,
        stale_allowed=NO_STALE.isdisjoint(said),
    )


def _lifetime(
    said: Mapping[str, str], headers: Mapping[str, Value], age_before: float, configured: float
) -> float:
    """The route's, cut by what the answer says of itself (RFC 9111 §4.2.1), where `no-cache` leaves it to the tags."""
    if "no-cache" in said:
        return configured
    for name in ("s-maxage", "max-age"):
        if name in said:
            return min(configured, float(said[name]) - age_before) if said[name].isdecimal() else 0.0
    if "expires" in headers:
        expires, date = _seconds(headers["expires"]), _seconds(headers.get("date"))
        if expires is None or date is None:
            return 0.0
        return min(configured, expires - date - age_before)
    return configured


def _age(value: Value | None) -> float:
    """One that is not to be read counts as none (RFC 9111 §5.1)."""
    return float(value) if isinstance(value, str) and value.isdecimal() else 0.0


def _seconds(value: Value | None) -> float | None:
    """An HTTP date in Unix seconds; None for what is none, such as `0`."""
    try:
        return parsedate_to_datetime(value).timestamp() if isinstance(value, str) else None
    except ValueError:
        return None


def _tags(value: Value | None) -> frozenset[str] | None:
    """None where there are more, or longer ones, than can be remembered."""
    tags = frozenset(tag.strip() for line in _lines(value) for tag in line.split(",")) - {""}
    fit = len(tags) <= MOST_TAGS and all(len(tag) <= LONGEST_TAG and tag != "*" for tag in tags)
    return tags if fit else None


def _lines(value: Value | None) -> list[str]:
    if isinstance(value, list):
        return [str(line) for line in value]
    return [] if value is None else [str(value)]
