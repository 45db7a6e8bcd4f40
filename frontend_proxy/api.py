"""/api: session calls go to auth, all others to the gateway, with the cookie's token as a Bearer token."""

import logging
import re
import time
from urllib.parse import parse_qs, quote

from multidict import CIMultiDict

from frontend_proxy import access_tokens, guest_cart, request_context
from frontend_proxy.asgi import Receive, Scope, Send
from frontend_proxy.auth_client import MAX_ANSWER, Answer, AuthClient, without_tokens
from frontend_proxy.cookies import Header, SentTokens
from frontend_proxy.edge.paths import RESUME, local_target
from frontend_proxy.forwarding import (
    RequestBody,
    forwarded_request_headers,
    forwarded_response_headers,
    stream,
)
from frontend_proxy.problems import Problem
from frontend_proxy.request_context import RequestContext
from frontend_proxy.session_manager import SessionManager
from frontend_proxy.upstream import Upstream

log = logging.getLogger("frontend_proxy.api")

SESSION_CALLS = {
    "/api/auth/login": "login",
    "/api/auth/register": "register",
    "/api/auth/refresh": "refresh",
    "/api/auth/logout": "logout",
}
RESUME_METHODS = "GET, HEAD, OPTIONS, POST"
"""Pages redirect here from GET and POST, with 303 or 307."""
_OPEN_TO_ALL = re.compile(r"/|/cart|/orders/[0-9a-f-]{36}")
"""Pages that show more with a session, and much without."""
MAX_CREDENTIALS = 64 * 1024
"""Bytes of a session call's body."""


class Api:
    """The ASGI application of /api. Paths are compared decoded, as later hops read them."""

    def __init__(self, gateway: Upstream, auth: AuthClient, sessions: SessionManager) -> None:
        self._gateway = gateway
        self._auth = auth
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = request_context.of(scope)
        incoming = RequestBody(receive, scope["headers"])
        path = scope["path"]
        if path == RESUME and scope["method"] == "OPTIONS":
            await _send_whole(Answer(204, [(b"allow", RESUME_METHODS.encode())], b""), [], send)
        elif path == RESUME and scope["method"] not in RESUME_METHODS.split(", "):
            raise Problem(405, "", "A session is resumed by GET or POST.", headers={"Allow": RESUME_METHODS})
        elif path == RESUME:
            await self._resume(scope, context, send)
        elif path in SESSION_CALLS and scope["method"] == "POST":
            await self._session_call(SESSION_CALLS[path], scope, context, incoming, send)
        else:
            await self._forward(scope, context, incoming, send)

    async def _session_call(
        self, call: str, scope: Scope, context: RequestContext, incoming: RequestBody, send: Send
    ) -> None:
        headers = context.with_forwarding_headers(forwarded_request_headers(scope["headers"]))
        body = await incoming.whole(MAX_CREDENTIALS)
        if call == "refresh":
            await self._refresh(context, send)
            return
        if call == "logout":
            body = logout_body(headers, context.sent_tokens)
        answer = await self._auth.post(call, headers, body)
        if answer.tokens is not None and context.sent_tokens.access is not None:
            await guest_cart.merge(self._gateway, context, answer.tokens.access)
        # After any other answer the session is still valid. Without its cookies nobody could end it (decision 20).
        ended = call == "logout" and (answer.status // 100 == 2 or answer.status == 401)
        cookies = self._sessions.ended() if ended else []
        await _send_whole(answer, cookies + self._sessions.started(answer.tokens), send)

    async def _refresh(self, context: RequestContext, send: Send) -> None:
        """Renews by the cookie; a browser has its refresh token nowhere else."""
        tokens = await self._sessions.renew(context)
        if tokens is None:
            raise unauthenticated(self._sessions.ended())
        await _send_whole(Answer(204, [], b""), self._sessions.started(tokens), send)

    async def _resume(self, scope: Scope, context: RequestContext, send: Send) -> None:
        """Renews the session and sends the browser back to its page, with the form that it had sent (307)."""
        asked = parse_qs(scope["query_string"].decode("ascii", "replace")).get("next", [])
        target = local_target(asked[0] if asked else None)
        back = quote(target, safe="/")
        cookies: list[Header] = []
        try:
            tokens = await self._sessions.renew(context)
        except Problem:
            # auth is down: the session is kept, and a page says so.
            location, status = f"/unavailable?next={back}", 303
        else:
            if tokens is not None and access_tokens.expired(tokens.access, time.time()):
                # This clock is ahead: the page would send the browser here again, without end.
                log.error("a token has expired that auth has just issued: is this machine's clock right?")
                location, status = f"/unavailable?next={back}", 303
                cookies = self._sessions.started(tokens)
            elif tokens is not None:
                location, status, cookies = target, 307, self._sessions.started(tokens)
            elif _open_to_all(target) or (
                context.sent_tokens.access and access_tokens.of_guest(context.sent_tokens.access)
            ):
                # A guest has nowhere to sign in again; and a shop is shown to whoever comes back after a month.
                location, status, cookies = target, 303, self._sessions.ended()
            else:
                location, status, cookies = f"/sign-in?next={back}", 303, self._sessions.ended()
        await _send_whole(Answer(status, [(b"location", location.encode())], b""), cookies, send)

    async def _forward(
        self, scope: Scope, context: RequestContext, incoming: RequestBody, send: Send
    ) -> None:
        """Forwards to the gateway, with a valid access token where the visitor has a session."""
        access, cookies = await self._sessions.access(context)
        guarded = scope["path"].startswith("/api/auth/")
        headers = _outbound(scope, context, access, guarded=guarded)
        if incoming.length is not None:
            headers["Content-Length"] = incoming.length
        target = _target(scope)
        try:
            response = await self._gateway.send(
                scope["method"], target, headers, incoming.chunks() if incoming.exists else None
            )
            if response.status == 401 and access is not None and not cookies:
                # Refused although it has not expired: it was revoked, or the clocks differ.
                access, cookies = await self._sessions.renewed_access(context)
                if access is not None and not incoming.exists:
                    # A body that was streamed cannot be sent again. Then the 401 goes back with the new cookies, and
                    # the client's next attempt succeeds.
                    response.close()
                    headers["Authorization"] = f"Bearer {access}"
                    response = await self._gateway.send(scope["method"], target, headers)
        except Problem as problem:
            raise incoming.fault or problem from None
        if guarded and "json" in response.content_type:
            content = await self._gateway.read(response, MAX_ANSWER)
            answer = without_tokens(
                response.status, forwarded_response_headers(response.status, response.raw_headers), content
            )
            await _send_whole(answer, cookies + self._sessions.started(answer.tokens), send)
        else:
            await stream(response, self._gateway, cookies, incoming, send)


def _open_to_all(target: str) -> bool:
    return _OPEN_TO_ALL.fullmatch(target.partition("?")[0]) is not None


def logout_body(headers: CIMultiDict[str], sent_tokens: SentTokens) -> bytes:
    """Sets `headers` for a logout and returns its body. The refresh token names the session, even where the access
    token has expired."""
    headers["Content-Type"] = "application/json"
    if sent_tokens.access is not None:
        headers["Authorization"] = f"Bearer {sent_tokens.access}"
    return f'{{"refresh_token":"{sent_tokens.refresh}"}}'.encode() if sent_tokens.refresh else b"{}"


def unauthenticated(cookies: list[Header]) -> Problem:
    """401 for a visitor without a session to renew; `cookies` clear what is left of one."""
    return Problem(
        401,
        "",
        "There is no session to renew.",
        headers={"WWW-Authenticate": 'Bearer realm="api"'},
        cookies=cookies,
    )


def _outbound(
    scope: Scope, context: RequestContext, access: str | None, *, guarded: bool
) -> CIMultiDict[str]:
    headers = context.with_forwarding_headers(forwarded_request_headers(scope["headers"]))
    if access is not None:
        headers["Authorization"] = f"Bearer {access}"
    if guarded:
        headers["Accept-Encoding"] = "identity"
    return headers


def _target(scope: Scope) -> str:
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("ascii")


async def _send_whole(answer: Answer, cookies: list[Header], send: Send) -> None:
    headers = answer.headers + cookies
    if not answer.body and answer.status not in {204, 304}:
        headers = [*(pair for pair in headers if pair[0] != b"content-length"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
