"""What the front reads of an access token: when it expires, and of which session it is."""

import base64
import binascii
from functools import lru_cache

import msgspec

LEEWAY = 5.0
"""Seconds before its expiry from which an access token is renewed: it must still be valid at the last hop."""


GUEST = "guest"
"""The role of a session without an account."""


class Claims(msgspec.Struct, frozen=True):
    """Claims that are read without verifying the token. They decide when to renew and which menus to show, and
    nothing else: the gateway and the services verify the token."""

    exp: float
    iat: float = 0
    sid: str = ""
    roles: tuple[str, ...] = ()


@lru_cache(maxsize=512)
def claims(token: str) -> Claims | None:
    """The unverified claims of a compact JWT (RFC 7519 §3), or None where there are none to read.

    A page's requests carry one token after another, so the last ones' are remembered (4 KiB each at most).
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return msgspec.json.decode(
            base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), type=Claims
        )
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return None


def same_session(one: str, other: str) -> bool:
    """Whether two access tokens belong to one session. True where one of them does not say."""
    first, second = claims(one), claims(other)
    return first is None or second is None or not first.sid or not second.sid or first.sid == second.sid


def of_guest(token: str) -> bool:
    """Whether `token` is of a session without an account."""
    read = claims(token)
    return read is not None and GUEST in read.roles


def expired(token: str, now: float) -> bool:
    """Whether `token` is expired, or about to expire, at `now` (Unix seconds)."""
    read = claims(token)
    return read is None or read.exp <= now + LEEWAY
