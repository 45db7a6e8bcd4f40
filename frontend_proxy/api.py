"""/api: session calls to auth, everything else to the gateway with the visitor's cookie turned into a Bearer
token."""

import time
from urllib.parse import parse_qs, quote

from multidict import CIMultiDict

from frontend_proxy import arrival as arrivals
from frontend_proxy import session
from frontend_proxy.arrival import Arrival
from frontend_proxy.asgi import Receive, Scope, Send
from frontend_proxy.auth_client import MAX_ANSWER, Answer, AuthClient, without_tokens
from frontend_proxy.cookies import Header, Jar, Presented, Tokens
from frontend_proxy.forwarding import Incoming, passed_back, passed_on, stream
from frontend_proxy.paths import local
from frontend_proxy.problems import Problem
from frontend_proxy.session import RESUME, Renewals
from frontend_proxy.upstream import Upstream

SESSION_CALLS = {
    "/api/auth/login": "login",
    "/api/auth/register": "register",
    "/api/auth/refresh": "refresh",
    "/api/auth/logout": "logout",
}
RESUME_METHODS = "GET, HEAD, OPTIONS, POST"
"""A page that was asked for, or that a form was sent to, and both come back by 307."""
MAX_CREDENTIALS = 64 * 1024
"""Bytes of a session call's body."""


class Api:
    """The ASGI application under /api. Paths are compared decoded, as every later hop reads them."""

    def __init__(self, gateway: Upstream, auth: AuthClient, renewals: Renewals, jar: Jar) -> None:
        self._gateway = gateway
        self._auth = auth
        self._renewals = renewals
        self._jar = jar

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrival = arrivals.of(scope)
        incoming = Incoming(receive, scope["headers"])
        path = scope["path"]
        if path == RESUME and scope["method"] == "OPTIONS":
            await _send_whole(Answer(204, [(b"allow", RESUME_METHODS.encode())], b""), [], send)
        elif path == RESUME and scope["method"] not in RESUME_METHODS.split(", "):
            raise Problem(405, "", "A session is resumed by GET or POST.", headers={"Allow": RESUME_METHODS})
        elif path == RESUME:
            await self._resume(scope, arrival, send)
        elif path in SESSION_CALLS and scope["method"] == "POST":
            await self._session_call(SESSION_CALLS[path], scope, arrival, incoming, send)
        else:
            await self._forward(scope, arrival, incoming, send)

    async def _session_call(
        self, call: str, scope: Scope, arrival: Arrival, incoming: Incoming, send: Send
    ) -> None:
        headers = arrival.onward(passed_on(scope["headers"]))
        body = await incoming.whole(MAX_CREDENTIALS)
        if call == "refresh":
            await self._refresh(arrival, send)
            return
        if call == "logout":
            body = logout_body(headers, arrival.presented)
        answer = await self._auth.post(call, headers, body)
        # Any other answer leaves the session alive: forgotten here, nobody could end it any more (ADR 20).
        ended = call == "logout" and (answer.status // 100 == 2 or answer.status == 401)
        cookies = self._jar.end() if ended else []
        await _send_whole(answer, cookies + self._started(answer.tokens), send)

    async def _refresh(self, arrival: Arrival, send: Send) -> None:
        """Renews on the cookie alone; a browser holds its refresh token nowhere else."""
        tokens = await self._renewed(arrival)
        if tokens is None:
            raise unauthenticated(self._jar)
        await _send_whole(Answer(204, [], b""), self._jar.start(tokens), send)

    async def _resume(self, scope: Scope, arrival: Arrival, send: Send) -> None:
        """Renews the session of a page's visitor and sends the browser back, with its form if it had sent one
        (307)."""
        asked = parse_qs(scope["query_string"].decode("ascii", "replace")).get("next", [])
        target = local(asked[0] if asked else None)
        back = quote(target, safe="/")
        cookies: list[Header] = []
        try:
            tokens = await self._renewed(arrival)
        except Problem:
            # Auth is away: the session is kept, and a page says so.
            location, status = f"/unavailable?next={back}", 303
        else:
            if tokens is not None:
                location, status, cookies = target, 307, self._jar.start(tokens)
            else:
                location, status, cookies = f"/sign-in?next={back}", 303, self._jar.end()
        await _send_whole(Answer(status, [(b"location", location.encode())], b""), cookies, send)

    async def _forward(self, scope: Scope, arrival: Arrival, incoming: Incoming, send: Send) -> None:
        """Forwards to the gateway, with a live access token where the visitor has a session."""
        access, cookies = await self._live_access(arrival)
        guarded = scope["path"].startswith("/api/auth/")
        headers = _outbound(scope, arrival, access, guarded=guarded)
        if incoming.length is not None:
            headers["Content-Length"] = incoming.length
        target = _target(scope)
        try:
            response = await self._gateway.send(
                scope["method"], target, headers, incoming.chunks() if incoming.exists else None
            )
            if response.status == 401 and access is not None and not cookies:
                # Refused although it looks alive: revoked, or clocks differ. The session itself may go on.
                tokens = await self._renewed(arrival)
                cookies = self._started(tokens) or self._jar.end()
                if tokens is not None and not incoming.exists:
                    # What was streamed is gone; only a request without a body can be repeated here. Otherwise
                    # the 401 is passed on with the new cookies, and the caller's own repetition succeeds.
                    response.close()
                    headers["Authorization"] = f"Bearer {tokens.access}"
                    response = await self._gateway.send(scope["method"], target, headers)
        except Problem as problem:
            raise incoming.fault or problem from None
        if guarded and "json" in response.content_type:
            content = await self._gateway.read(response, MAX_ANSWER)
            answer = without_tokens(
                response.status, passed_back(response.status, response.raw_headers), content
            )
            await _send_whole(answer, cookies + self._started(answer.tokens), send)
        else:
            await stream(response, self._gateway, cookies, incoming, send)

    async def _live_access(self, arrival: Arrival) -> tuple[str | None, list[Header]]:
        """An access token worth sending, and the cookies of a renewal that getting it took.

        Expiry is read before anything is sent, so that a streamed body meets a live token. A session that is
        over is forgotten, and the request goes on without one: the gateway knows which of its routes need
        one.
        """
        access = arrival.presented.access
        if access is not None and not session.expired(access, time.time()):
            return access, []
        if access is None and arrival.presented.refresh is None:
            return None, []
        tokens = await self._renewed(arrival)
        return (tokens.access, self._jar.start(tokens)) if tokens else (None, self._jar.end())

    async def _renewed(self, arrival: Arrival) -> Tokens | None:
        """The session's next tokens; None where it is over, or is not the one that the access token is of.

        A name without a prefix, as in development, a sibling domain can plant: the visitor would go on as
        somebody else.
        """
        access, refresh = arrival.presented
        tokens = await self._renewals.renew(refresh, arrival) if refresh else None
        if tokens is not None and access is not None and not session.same_session(access, tokens.access):
            return None
        return tokens

    def _started(self, tokens: Tokens | None) -> list[Header]:
        return self._jar.start(tokens) if tokens else []


def logout_body(headers: CIMultiDict[str], presented: Presented) -> bytes:
    """Sets `headers` for a logout and returns its body: the refresh token names the session even when the
    access token, which is sent beside it, has expired."""
    headers["Content-Type"] = "application/json"
    if presented.access is not None:
        headers["Authorization"] = f"Bearer {presented.access}"
    return f'{{"refresh_token":"{presented.refresh}"}}'.encode() if presented.refresh else b"{}"


def unauthenticated(jar: Jar) -> Problem:
    """401 for a visitor without a session that could be renewed."""
    return Problem(
        401,
        "",
        "There is no session to renew.",
        headers={"WWW-Authenticate": 'Bearer realm="api"'},
        cookies=jar.end(),
    )


def _outbound(scope: Scope, arrival: Arrival, access: str | None, *, guarded: bool) -> CIMultiDict[str]:
    headers = arrival.onward(passed_on(scope["headers"]))
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
