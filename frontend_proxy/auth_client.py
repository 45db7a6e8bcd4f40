"""Calls to auth that start, renew and end sessions. Only this module takes tokens out of a response."""

from typing import Any, NamedTuple

import msgspec
from multidict import CIMultiDict

from frontend_proxy.cookies import Header, Tokens, is_token
from frontend_proxy.forwarding import forwarded_response_headers
from frontend_proxy.problems import Problem
from frontend_proxy.request_context import RequestContext
from frontend_proxy.upstream import Upstream

MAX_ANSWER = 64 * 1024
"""Bytes of a response of auth. Its longest ones have a few kilobytes."""

_SECRET_MEMBERS = ("access_token", "refresh_token", "id_token", "token_type")


class Answer(NamedTuple):
    """An upstream's complete response. Tokens that were in it are in `tokens` alone."""

    status: int
    headers: list[Header]
    body: bytes
    tokens: Tokens | None = None

    def document(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is not one."""
        return _object(self.body) or {}


def without_tokens(status: int, headers: list[Header], body: bytes) -> Answer:
    """Takes a session's tokens out of a response. Members with a token's name are removed even if they are malformed.

    Raises Problem 502 for a compressed response, which cannot be searched.
    """
    if any(name == b"content-encoding" and value.lower() != b"identity" for name, value in headers):
        raise Problem(502, "upstream-unavailable", "The auth service sent an answer that cannot be read.")
    document = _object(body)
    if document is None or not any(member in document for member in _SECRET_MEMBERS):
        return Answer(status, headers, body)
    access, refresh = document.get("access_token"), document.get("refresh_token")
    lifetime = document.get("refresh_expires_in")
    tokens = None
    if is_token(access) and is_token(refresh) and isinstance(lifetime, int) and lifetime > 0:
        tokens = Tokens(access, refresh, lifetime)
    rest = msgspec.json.encode(
        {name: value for name, value in document.items() if name not in _SECRET_MEMBERS}
    )
    kept = [(name, value) for name, value in headers if name not in {b"content-length", b"etag", b"digest"}]
    return Answer(status, [*kept, (b"content-length", str(len(rest)).encode())], rest, tokens)


class AuthClient:
    """auth's session calls, sent to auth itself: the gateway would ask for the token that they return."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def post(self, call: str, headers: CIMultiDict[str], body: bytes) -> Answer:
        """POSTs `body` to `/api/auth/<call>`. Raises Problem 502 or 504."""
        # The response is searched for tokens, so it must not be compressed.
        headers["Accept-Encoding"] = "identity"
        response = await self._upstream.send("POST", f"/api/auth/{call}", headers, body)
        content = await self._upstream.read(response, MAX_ANSWER)
        return without_tokens(
            response.status, forwarded_response_headers(response.status, response.raw_headers), content
        )

    async def refresh(self, refresh_token: str, context: RequestContext) -> Tokens | None:
        """The session's successor tokens, or None where auth refuses the token (RFC 6749 §6).

        Raises Problem where auth is down or answers neither: the session may still be valid.
        """
        headers = context.with_forwarding_headers(CIMultiDict({"Content-Type": "application/json"}))
        answer = await self.post("refresh", headers, msgspec.json.encode({"refresh_token": refresh_token}))
        if answer.tokens is not None:
            return answer.tokens
        if answer.status in {400, 401, 403}:
            return None
        raise Problem(
            503, "upstream-unavailable", "The session could not be renewed.", headers={"Retry-After": "2"}
        )


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None
