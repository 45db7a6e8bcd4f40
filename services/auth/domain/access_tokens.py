"""The claims of an access token (RFC 9068 §2.2)."""

from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID

TYPE = "at+jwt"
ALGORITHM = "ES256"


class Claims(TypedDict):
    iss: str
    aud: str
    sub: str
    sid: str
    roles: list[str]
    iat: int
    exp: int
    jti: str


def claims(
    *,
    issuer: str,
    audience: str,
    account: UUID,
    session: UUID,
    roles: Sequence[str],
    now: float,
    lifetime: int,
    jti: UUID,
) -> Claims:
    """`now` is Unix time, `lifetime` seconds."""
    issued_at = int(now)
    return Claims(
        iss=issuer,
        aud=audience,
        sub=str(account),
        sid=str(session),
        roles=list(roles),
        iat=issued_at,
        exp=issued_at + lifetime,
        jti=str(jti),
    )
