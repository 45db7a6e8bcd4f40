"""Decides whether an access token is good: pure, so that the same question always has the same answer.

Follows RFC 9068 §4 (JWT access tokens), RFC 8725 (the algorithm is ours to choose, never the token's) and
RFC 7515 §4.1 (a token that brings its own key, or rules that must be understood, is refused).
The gateway's token-validator holds to the same rules; tests/contract shows both the same tokens.
"""

import base64
import json
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey
from joserfc.jws import deserialize_compact
from msgspec import Meta

MAX_TOKEN_BYTES = 8192
ALGORITHM = "ES256"
TYPES = frozenset({"at+jwt", "application/at+jwt"})
CLOCK_SKEW_S = 5
"""How far the issuer's clock may be ahead of ours; never added to a token's life."""


class Rejected(Enum):
    """Why a token is refused; the values are fit for clients and metrics."""

    TOO_LARGE = "the access token is too large"
    MALFORMED = "the access token is malformed"
    ALGORITHM = "the access token's algorithm is not accepted"
    TYPE = "the token is not an access token"
    HEADER = "the access token has a header member that is not accepted"
    UNKNOWN_KEY = "the access token's key is not known"
    SIGNATURE = "the access token's signature is wrong"
    CLAIMS = "the access token's claims are not complete"
    ISSUER = "the access token's issuer is not accepted"
    AUDIENCE = "the access token is for another audience"
    EXPIRED = "the access token has expired"
    NOT_YET = "the access token is not valid yet"


_LATEST = 1e11
_Text = Annotated[str, Meta(min_length=1)]
_Role = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]
_Seconds = Annotated[float, Meta(ge=0, le=_LATEST)]


class Claims(msgspec.Struct, frozen=True):
    """What an accepted token says. Times are Unix seconds."""

    iss: str
    aud: str | list[str]
    sub: UUID
    sid: UUID
    roles: list[_Role]
    iat: _Seconds
    exp: _Seconds
    jti: _Text
    nbf: _Seconds = 0


class _Header(msgspec.Struct, frozen=True):
    alg: str = ""
    typ: str = ""
    kid: Annotated[str, Meta(max_length=128)] | None = None


# What would have a verifier take its key, its rules or its encoding from the token itself.
_FORBIDDEN = frozenset({"crit", "jku", "jwk", "x5u", "x5c", "b64"})


def key_id(token: str) -> str | None:
    """The `kid` that the token names, unverified: good for looking a key up and for nothing else."""
    segment = token.partition(".")[0] if len(token) <= MAX_TOKEN_BYTES else ""
    try:
        return msgspec.convert(_json(_base64url(segment)), _Header).kid
    except ValueError:
        return None


def verify(
    token: str, keys: Mapping[str, ECKey], now: float, *, issuer: str, audience: str
) -> Claims | Rejected:
    """Judges `token` at `now` (Unix seconds) with `keys` by their `kid`. The signature comes before any claim."""
    if len(token) > MAX_TOKEN_BYTES:
        return Rejected.TOO_LARGE
    try:
        members = _json(_base64url(token.partition(".")[0]))
        header = msgspec.convert(members, _Header)
    except ValueError:
        return Rejected.MALFORMED
    if header.alg != ALGORITHM:
        return Rejected.ALGORITHM
    if header.typ.lower() not in TYPES:
        return Rejected.TYPE
    if _FORBIDDEN & members.keys():
        return Rejected.HEADER
    key = keys.get(header.kid) if header.kid is not None else None
    if key is None:
        return Rejected.UNKNOWN_KEY
    try:
        signed = deserialize_compact(token.encode("ascii"), key, [ALGORITHM])
    except BadSignatureError:
        return Rejected.SIGNATURE
    except (JoseError, ValueError):
        return Rejected.MALFORMED
    try:
        said = _json(signed.payload)
        claims = msgspec.convert(said, Claims)
    except ValueError:
        return Rejected.CLAIMS
    if (said["sub"], said["sid"]) != (str(claims.sub), str(claims.sid)):
        return Rejected.CLAIMS
    return _judge(claims, now, issuer, audience)


def _base64url(segment: str) -> bytes:
    """RFC 7515 §2: no padding, and one spelling for each value. Raises ValueError."""
    decoded = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != segment.encode():
        raise ValueError("not in its one base64url form")
    return decoded


def _json(document: bytes) -> dict[str, Any]:
    """A JSON object in which no member is said twice (RFC 7519 §4), nor any number infinite. Raises ValueError."""
    try:
        parsed = json.loads(document.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError as fault:
        raise ValueError("nested too deeply") from fault
    if not isinstance(parsed, dict):
        raise ValueError("not an object")  # noqa: TRY004  # one error for every malformed document
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _judge(claims: Claims, now: float, issuer: str, audience: str) -> Claims | Rejected:
    if claims.iss != issuer:
        return Rejected.ISSUER
    if audience != claims.aud and (isinstance(claims.aud, str) or audience not in claims.aud):
        return Rejected.AUDIENCE
    if now >= claims.exp:
        return Rejected.EXPIRED
    if max(claims.iat, claims.nbf) > now + CLOCK_SKEW_S:
        return Rejected.NOT_YET
    return claims
