"""Decides what a keyed request gets, from the record that the store found and the upstream's answer. Pure.

A record is what Redis keeps for one key: a byte of version, a byte of state, the fingerprint (32 bytes), and
then the owner of a reservation or the encoded outcome. The Lua scripts compare whole records and read
nothing in them.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from kong.plugins import header_limit
from kong.plugins.idempotency import outcomes
from kong.plugins.idempotency.outcomes import HeaderValue, Outcome

_VERSION = b"1"
_RESERVED = b"R"
_DONE = b"D"
_HEAD = 2 + 32


class Replay(msgspec.Struct, frozen=True):
    """The first request's outcome is the answer."""

    outcome: Outcome


class InProgress(msgspec.Struct, frozen=True):
    """Another request holds the reservation, for `lease` more seconds at most."""

    lease: float


class Mismatch(msgspec.Struct, frozen=True):
    """The key belongs to a request that asked for something else."""


class Unreplayable(msgspec.Struct, frozen=True):
    """The first request took effect, but its answer was not kept."""

    reason: str


Finding = Replay | InProgress | Mismatch | Unreplayable


def reservation(fingerprint: bytes, owner: str) -> bytes:
    """The record of a request under way; the same request writes the same record when its phase is repeated."""
    return _VERSION + _RESERVED + fingerprint + owner.encode()


def completion(fingerprint: bytes, outcome: Outcome) -> bytes:
    """The record of a finished request."""
    return _VERSION + _DONE + fingerprint + outcomes.encode(outcome)


def read(record: bytes, fingerprint: bytes, lease: float) -> Finding:
    """What another request's record, with `lease` seconds left, means for a request with this fingerprint."""
    if len(record) < _HEAD or record[:1] != _VERSION:
        return Unreplayable("it was kept by another version of the gateway")
    if record[2:_HEAD] != fingerprint:
        return Mismatch()
    if record[1:2] == _RESERVED:
        return InProgress(lease)
    try:
        outcome = outcomes.decode(record[_HEAD:])
    except outcomes.UndecodableError:
        return Unreplayable("it cannot be read any more")
    return Unreplayable(outcome.unkept) if outcome.unkept else Replay(outcome)


class StatusRule:
    """Which statuses are kept, from patterns such as `2xx`, `404` and `!429`; an exclusion wins."""

    def __init__(self, patterns: Sequence[str]) -> None:
        kept = _statuses(pattern for pattern in patterns if not pattern.startswith("!"))
        excluded = _statuses(pattern[1:] for pattern in patterns if pattern.startswith("!"))
        self._kept = kept - excluded

    def __contains__(self, status: int) -> bool:
        return status in self._kept


def _statuses(patterns: Iterable[str]) -> frozenset[int]:
    matcher = re.compile("|".join(pattern.replace("x", "[0-9]") for pattern in patterns) or r"\b\B")
    return frozenset(status for status in range(200, 500) if matcher.fullmatch(str(status)))


ABOUT_ONE_READING = frozenset((206, 304, 412, 416))
"""Statuses that answer the conditions or the range of one reading (RFC 9110 §13, §14).

The fingerprint covers neither, and a repeat without them must get the whole; of a change they are the outcome.
"""
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))


def conclude(
    *,
    method: str,
    status: int,
    headers: Mapping[str, HeaderValue],
    body: bytes | None,
    kept: StatusRule,
    stored_headers: Collection[str],
    max_body: int,
) -> Outcome | None:
    """What becomes of the key: the outcome to keep, or None where it is freed for another try.

    `method` counts for a status in ABOUT_ONE_READING alone. `body` is None where it was too large to be handed over.
    `stored_headers` (lower case) narrows the headers that are kept; empty keeps all that may be replayed.
    """
    if status not in kept or (status in ABOUT_ONE_READING and method in SAFE_METHODS):
        return None
    if body is None or len(body) > max_body:
        return Outcome(status=status, unkept=f"it was larger than {max_body} bytes")
    if outcomes.forbids_storing(headers):
        return Outcome(status=status, unkept="it was marked Cache-Control: no-store")
    if header_limit.reached(headers):
        return Outcome(status=status, unkept="it had too many headers")
    return Outcome(status=status, headers=outcomes.replayable(headers, stored_headers), body=body)
