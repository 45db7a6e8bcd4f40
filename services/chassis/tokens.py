"""Decides whether an access token is good: pure, so that the same question always has the same answer.

Follows RFC 9068 §4 (JWT access tokens), RFC 8725 (the algorithm is ours to choose, never the token's) and
RFC 7515 §4.1.11 (an unknown `crit` refuses the token). Key locations in a token (`jku`, `x5u`, `jwk`) are not read.
The gateway's token-validator holds to the same rules; tests/contract shows both the same tokens.
"""

import base64
from collections.abc import Mapping
from enum import Enum
from typing import Annotated
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
    CRITICAL = "the access token has a critical header that is not understood"
    UNKNOWN_KEY = "the access token's key is not known"
    SIGNATURE = "the access token's signature is wrong"
    CLAIMS = "the access token's claims are not complete"
    ISSUER = "the access token's issuer is not accepted"
    AUDIENCE = "the access token is for another audience"
    EXPIRED = "the access token has expired"
    NOT_YET = "the access token is not valid yet"


_Text = Annotated[str, Meta(min_length=1)]
_Seconds = Annotated[float, Meta(ge=0)]


class Claims(msgspec.Struct, frozen=True):
    """What an accepted token says. Times are Unix seconds."""

    iss: str
    aud: str | list[str]
    sub: UUID
    sid: UUID
    roles: list[_Text]
    iat: _Seconds
    exp: _Seconds
    jti: _Text
    nbf: _Seconds = 0


class _Header(msgspec.Struct, frozen=True):
    alg: str = ""
    typ: str = ""
    kid: str | None = None
    crit: msgspec.Raw | None = None


_decode_header = msgspec.json.Decoder(_Header).decode
_decode_claims = msgspec.json.Decoder(Claims).decode


def key_id(token: str) -> str | None:
    """The `kid` that the token names, unverified: good for looking a key up and for nothing else."""
    header = _header(token)
    return header.kid if header else None


def _header(token: str) -> _Header | None:
    segment = token.partition(".")[0] if len(token) <= MAX_TOKEN_BYTES else ""
    try:
        return _decode_header(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        return None


def verify(
    token: str, keys: Mapping[str, ECKey], now: float, *, issuer: str, audience: str
) -> Claims | Rejected:
    """Judges `token` at `now` (Unix seconds) with `keys` by their `kid`. The signature comes before any claim."""
    if len(token) > MAX_TOKEN_BYTES:
        return Rejected.TOO_LARGE
    header = _header(token)
    if header is None:
        return Rejected.MALFORMED
    if header.alg != ALGORITHM:
        return Rejected.ALGORITHM
    if header.typ.lower() not in TYPES:
        return Rejected.TYPE
    if header.crit is not None:
        return Rejected.CRITICAL
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
        claims = _decode_claims(signed.payload)
    except ValueError:
        return Rejected.CLAIMS
    return _judge(claims, now, issuer, audience)


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
