"""A visitor's session: when its access token has to be renewed, and renewing it once for all who wait for it.

Across replicas there is no lock: auth answers concurrent refreshes of one token with the same successor for
10 seconds, so two replicas that renew at once hand out one session (docs/decisions/0020-session-cookies.md).
"""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from frontend_proxy.arrival import Arrival
from frontend_proxy.cookies import Tokens

RESUME = "/api/auth/resume"
"""Where a page sends a browser whose access token has expired, and back from there: a path that gets the
refresh token in development too."""

LEEWAY = 5.0
"""Seconds before its end from which an access token is renewed: it has to live until the last hop has read
it."""


class Claims(msgspec.Struct, frozen=True):
    """What the proxy reads of an access token, without verifying it: for its own timing and for showing
    menus. Every decision on access is the gateway's and the services', which do verify it."""

    exp: float
    iat: float = 0
    sid: str = ""
    roles: tuple[str, ...] = ()


def claims(token: str) -> Claims | None:
    """The unverified claims of a compact JWT (RFC 7519 §3), or None where there are none to read."""
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
    """Whether two access tokens are of one session, as far as they say."""
    first, second = claims(one), claims(other)
    return first is None or second is None or not first.sid or not second.sid or first.sid == second.sid


def expired(token: str, now: float) -> bool:
    """Whether sending `token` at `now` (Unix seconds) would be pointless."""
    read = claims(token)
    return read is None or read.exp <= now + LEEWAY


class Renewals:
    """Renews sessions, each refresh token at most once at a time in this process."""

    def __init__(self, refresh: Callable[[str, Arrival], Awaitable[Tokens | None]]) -> None:
        """`refresh` asks auth: the successor, None where the token is refused; raises Problem where auth is
        away."""
        self._refresh = refresh
        self._running: dict[bytes, asyncio.Future[Tokens | None]] = {}

    async def renew(self, refresh_token: str, arrival: Arrival) -> Tokens | None:
        """The session's new tokens, or None if the session is over. Raises Problem where auth cannot be
        asked."""
        key = hashlib.sha256(refresh_token.encode()).digest()
        running = self._running.get(key)
        if running is None:
            running = asyncio.ensure_future(self._refresh(refresh_token, arrival))
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
        # A visitor who leaves must not take the renewal away from the others who wait for it.
        return await asyncio.shield(running)
