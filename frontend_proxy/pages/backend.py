"""How pages call the APIs: through the gateway, like every client, with the visitor's own token."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
from multidict import CIMultiDict

from frontend_proxy import guest_cart
from frontend_proxy.auth_client import Answer, AuthClient, without_tokens
from frontend_proxy.cookies import Tokens
from frontend_proxy.forwarding import forwarded_response_headers
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.problems import Problem
from frontend_proxy.upstream import Upstream

PATIENCE = 5.0
"""Seconds that somebody waits for a page's parts."""
MAX_ANSWER = 2 * 1024 * 1024


class RawBody(NamedTuple):
    """What is sent as it is."""

    media_type: str
    content: bytes


class Backend:
    """Calls that pages make. Every method raises Problem 502 or 504 where the upstream is down."""

    def __init__(self, gateway: Upstream, auth: AuthClient) -> None:
        self._gateway = gateway
        self._auth = auth

    async def call(
        self,
        visitor: PageContext,
        method: str,
        path: str,
        body: Mapping[str, Any] | RawBody | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        public: bool = False,
        within: float | None = None,
    ) -> Answer:
        """A call through the gateway. Raises Redirect where the gateway refuses the visitor's token. `public`: what is
        asked for is the same for everybody, and no token is sent. `within`: of a reading, after how many seconds it is
        given up with Problem 504, however patient the gateway is."""
        try:
            async with asyncio.timeout(within):
                return await self._call(visitor, method, path, body, query, headers, public=public)
        except TimeoutError:
            raise Problem(504, "upstream-timeout", "There was no answer in time.") from None

    async def _call(
        self,
        visitor: PageContext,
        method: str,
        path: str,
        body: Mapping[str, Any] | RawBody | None,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        *,
        public: bool,
    ) -> Answer:
        outbound = _headers(visitor, headers)
        outbound["Accept"] = "application/json"
        outbound["Accept-Encoding"] = "identity"
        if visitor.access is not None and not public:
            outbound["Authorization"] = f"Bearer {visitor.access}"
        target = quote(path, safe="/-._~") + (f"?{urlencode(query)}" if query else "")
        content = None
        if isinstance(body, RawBody):
            outbound["Content-Type"], content = body.media_type, body.content
        elif body is not None:
            outbound["Content-Type"] = "application/json"
            content = msgspec.json.encode(body)
        response = await self._gateway.send(method, target, outbound, content)
        received = await self._gateway.read(response, MAX_ANSWER)
        answer = without_tokens(
            response.status, forwarded_response_headers(response.status, response.raw_headers), received
        )
        if answer.status == 401 and visitor.access is not None and not public:
            raise visitor.refused()
        return answer

    async def confirm(self, visitor: PageContext) -> None:
        """For a page that asks for nothing else. Raises Redirect where the visitor's session is over; where nobody can
        tell, the page is shown: what it sends is judged again."""
        with suppress(Problem):
            await self.call(visitor, "GET", "/api/auth/verify", within=PATIENCE)

    async def session_call(
        self, visitor: PageContext, call: str, body: Mapping[str, Any], key: str = ""
    ) -> Answer:
        """`POST /api/auth/<call>` at auth itself: login and register."""
        headers = _headers(visitor, {"Idempotency-Key": key} if key else None)
        headers["Content-Type"] = "application/json"
        return await self._auth.post(call, headers, msgspec.json.encode(body))

    async def guest_session(self, visitor: PageContext) -> Tokens:
        """A session for somebody without an account. Raises Problem, also where too many were asked for (429)."""
        answer = await self._auth.post("guest", _headers(visitor, None), b"")
        if answer.tokens is None:
            raise Problem(
                answer.status if answer.status >= 400 else 502, "", "There is no session for a guest."
            )
        return answer.tokens

    async def bring_cart(self, visitor: PageContext, access: str) -> int | None:
        """Puts a guest's cart into that of the session that began with `access`; how many things are in it then."""
        return await guest_cart.merge(self._gateway, visitor.request, access)

    async def end_session(self, visitor: PageContext) -> None:
        """Ends the visitor's session at auth. Raises Problem where auth did not confirm it."""
        headers = _headers(visitor, {"Authorization": f"Bearer {visitor.access}"})
        headers["Content-Type"] = "application/json"
        answer = await self._auth.post("logout", headers, b"{}")
        if answer.status not in {204, 401}:
            raise Problem(503, "upstream-unavailable", "The session could not be ended.")


def _headers(visitor: PageContext, headers: Mapping[str, str] | None) -> CIMultiDict[str]:
    outbound = visitor.request.with_forwarding_headers(CIMultiDict(headers or {}))
    outbound["Accept-Language"] = visitor.language
    if visitor.agent:
        outbound["User-Agent"] = visitor.agent
    return outbound
