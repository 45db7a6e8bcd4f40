"""Sessions of visitors: a valid access token for each request, renewed where it has expired.

Replicas share no lock. auth answers concurrent refreshes of one token with the same successor for 10 seconds, so two
replicas that renew at once hand out one session (docs/decisions/0020-session-cookies.md).
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from frontend_proxy import access_tokens
from frontend_proxy.cookies import Header, SessionCookies, Tokens
from frontend_proxy.request_context import RequestContext

Refresh = Callable[[str, RequestContext], Awaitable[Tokens | None]]
"""Asks auth for a refresh token's successor. None where auth refuses the token; raises Problem where auth is down."""


class Access(NamedTuple):
    """The access token to send, if any, and the `Set-Cookie` headers of a renewal that was needed for it."""

    token: str | None
    cookies: list[Header]


class SessionManager:
    """Renews sessions and sets their cookies."""

    def __init__(self, refresh: Refresh, cookies: SessionCookies) -> None:
        self._renewals = Renewals(refresh)
        self._cookies = cookies

    async def access(self, context: RequestContext) -> Access:
        """A valid access token. Raises Problem where auth cannot be asked.

        The expiry is checked before anything is sent: a body that is streamed cannot be sent twice. Where the session
        is over, its cookies are cleared and the request goes on without a token: the gateway knows which routes need
        one.
        """
        sent = context.sent_tokens
        if sent.access is not None and not access_tokens.expired(sent.access, time.time()):
            return Access(sent.access, [])
        if sent.access is None and sent.refresh is None:
            return Access(None, [])
        return await self.renewed_access(context)

    async def renewed_access(self, context: RequestContext) -> Access:
        """A new access token, whatever the age of the one that was sent. Raises Problem where auth cannot be asked."""
        tokens = await self.renew(context)
        return Access(tokens.access, self.started(tokens)) if tokens else Access(None, self.ended())

    async def renew(self, context: RequestContext) -> Tokens | None:
        """The session's next tokens; None where it is over. Raises Problem where auth cannot be asked.

        None too where the new tokens belong to another session than the access token that was sent: in development,
        where cookies have no prefix, a sibling domain can set a refresh token of another account.
        """
        access, refresh = context.sent_tokens
        tokens = await self._renewals.renew(refresh, context) if refresh else None
        if tokens is not None and access is not None:
            return tokens if access_tokens.same_session(access, tokens.access) else None
        return tokens

    def started(self, tokens: Tokens | None) -> list[Header]:
        """`Set-Cookie` headers for `tokens`; none without tokens."""
        return self._cookies.start(tokens) if tokens else []

    def ended(self) -> list[Header]:
        """`Set-Cookie` headers that clear the session's cookies."""
        return self._cookies.end()


class Renewals:
    """Renews sessions, each refresh token at most once at a time in this process."""

    def __init__(self, refresh: Refresh) -> None:
        self._refresh = refresh
        self._running: dict[bytes, asyncio.Future[Tokens | None]] = {}

    async def renew(self, refresh_token: str, context: RequestContext) -> Tokens | None:
        """The session's new tokens, or None if the session is over. Raises Problem where auth cannot be asked."""
        key = hashlib.sha256(refresh_token.encode()).digest()
        running = self._running.get(key)
        if running is None:
            running = asyncio.ensure_future(self._refresh(refresh_token, context))
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
        # A client that disconnects must not cancel the renewal for the other requests that wait for it.
        return await asyncio.shield(running)
