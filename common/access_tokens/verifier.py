"""Decides whether an access token is good: pure, so that the same question always has the same answer.

Follows RFC 9068 §4 and RFC 8725: the algorithm is the configuration's choice and the key's, never the
token's, and nothing that a token points at is fetched.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError

from common.access_tokens.jwk_set import VerificationKey

TYPES = frozenset(("at+jwt", "application/at+jwt"))  # RFC 9068 §4

FORBIDDEN_HEADERS = frozenset(("crit", "jku", "jwk", "x5u", "x5c", "b64"))
"""Extensions that we do not have (RFC 7515 §4.1.11) and keys of the sender's choice."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ROLE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")  # fit for a comma-separated header
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST_ID = 128
_LATEST = 1e11
"""Unix seconds, in the year 5138: what says a later time is mistaken about the unit."""


class Expected(msgspec.Struct, frozen=True):
    """What a good token says; `leeway`: seconds by which its issuer's clock may be ahead of ours."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    leeway: float
    max_size: int


class Identity(msgspec.Struct, frozen=True):
    """Whom a good token speaks for, until `expires` (Unix seconds)."""

    subject: str
    session: str
    roles: tuple[str, ...]
    scopes: frozenset[str]
    expires: float


class Rejected(msgspec.Struct, frozen=True):
    """The token is not good; `reason` is for the client (RFC 6750 `error_description`)."""

    reason: str


class Expired(Rejected, frozen=True):
    """The token was good, and is too old by now: `identity` is whom it spoke for."""

    identity: Identity


class UnknownKey(msgspec.Struct, frozen=True):
    """The key that the token names is not among those given; a newer key set may have it."""

    key_id: str


class _RefusedError(Exception):
    """Carries the refusal out of a check."""

    def __init__(self, reason: str, rejected: Rejected | None = None) -> None:
        super().__init__(reason)
        self.rejected = rejected or Rejected(reason)


def verify(
    token: str, keys: Mapping[str, VerificationKey], expected: Expected, now: float
) -> Identity | Rejected | UnknownKey:
    """Judges a token in compact form at `now` (Unix seconds): form, header, key, signature, and then its claims."""
    try:
        return _judge(token, keys, expected, now)
    except _RefusedError as refusal:
        return refusal.rejected


def _judge(
    token: str, keys: Mapping[str, VerificationKey], expected: Expected, now: float
) -> Identity | UnknownKey:
    if len(token) > expected.max_size:
        raise _RefusedError("The access token is too large.")
    if not _COMPACT.fullmatch(token):
        raise _RefusedError("The access token is malformed.")
    header, claims, _ = (_bytes(segment) for segment in token.split("."))
    algorithm, key_id = _check_header(_object(header), expected.algorithms)
    key = keys.get(key_id)
    if key is None:
        return UnknownKey(key_id)
    if key.algorithm != algorithm:
        raise _RefusedError("The access token's algorithm is not that of its key.")
    _check_signature(token, key)
    return _identify(_object(claims), expected, now)


def _check_header(header: dict[str, Any], algorithms: Collection[str]) -> tuple[str, str]:
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise _RefusedError("The access token's algorithm is not accepted.")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise _RefusedError("The token is not an access token.")
    if not FORBIDDEN_HEADERS.isdisjoint(header):
        raise _RefusedError("The access token has a header that is not accepted.")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= _LONGEST_ID:
        raise _RefusedError("The access token names no key.")
    return algorithm, key_id


def _check_signature(token: str, key: VerificationKey) -> None:
    try:
        jws.deserialize_compact(token, key.key, algorithms=[key.algorithm])
    except (JoseError, ValueError) as error:
        raise _RefusedError("The access token's signature is wrong.") from error


def _identify(claims: dict[str, Any], expected: Expected, now: float) -> Identity:
    subject, session, roles = claims.get("sub"), claims.get("sid"), claims.get("roles")
    issued, expires = _time(claims, "iat"), _time(claims, "exp")
    not_before = _time(claims, "nbf") if "nbf" in claims else issued
    scope, token_id = claims.get("scope", ""), claims.get("jti")
    if claims.get("iss") != expected.issuer:
        raise _RefusedError("The access token's issuer is not accepted.")
    if not _is_for(expected.audience, claims.get("aud")):
        raise _RefusedError("The access token is for another audience.")
    if not (_is_uuid(subject) and _is_uuid(session)):
        raise _RefusedError("The access token names no account or session.")
    if not isinstance(roles, list) or not all(
        isinstance(role, str) and _ROLE.fullmatch(role) for role in roles
    ):
        raise _RefusedError("The access token's roles are malformed.")
    if not isinstance(token_id, str) or not token_id or not isinstance(scope, str):
        raise _RefusedError("The access token's claims are not complete.")
    identity = Identity(str(subject), str(session), tuple(roles), frozenset(scope.split()), expires)
    if now >= expires:
        reason = "The access token has expired."
        raise _RefusedError(reason, Expired(reason, identity))
    if max(issued, not_before) > now + expected.leeway:
        raise _RefusedError("The access token is not valid yet.")
    return identity


def _is_for(audience: str, claim: object) -> bool:
    if isinstance(claim, str):
        return claim == audience
    return isinstance(claim, list) and all(isinstance(one, str) for one in claim) and audience in claim


def _is_uuid(claim: object) -> bool:
    return isinstance(claim, str) and _UUID.fullmatch(claim) is not None


def _time(claims: dict[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 §2)."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise _RefusedError(f"The access token's {name} is missing or malformed.")
    return value


def _object(document: bytes) -> dict[str, Any]:
    try:
        value = json.loads(document.decode("utf-8"), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise _RefusedError("The access token is malformed.") from error
    if not isinstance(value, dict):
        raise _RefusedError("The access token is malformed.")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may differ on which of two equal names counts (RFC 7519 §4), so none does."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("repeated name")
    return members


def _bytes(segment: str) -> bytes:
    """A base64url segment without padding, in the one spelling that it has (RFC 7515 §2, RFC 4648 §3.5)."""
    try:
        value = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError) as error:
        raise _RefusedError("The access token is malformed.") from error
    if base64.urlsafe_b64encode(value).rstrip(b"=") != segment.encode():
        raise _RefusedError("The access token is malformed.")
    return value
