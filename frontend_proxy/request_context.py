"""What the edge knows of a request, for the code behind it."""

import re
import secrets
import uuid
from collections.abc import Mapping
from typing import NamedTuple

from multidict import CIMultiDict

from frontend_proxy.asgi import Scope
from frontend_proxy.cookies import Header, SentTokens
from frontend_proxy.edge.peers import Peer

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class RequestContext(NamedTuple):
    """An admitted request: its ids, its client, its cookies."""

    request_id: str
    traceparent: str
    peer: Peer
    host: str
    sent_tokens: SentTokens
    cookies: Mapping[str, str]

    def with_forwarding_headers(self, headers: CIMultiDict[str]) -> CIMultiDict[str]:
        """`headers` with the request's ids and the forwarding headers for the next hop."""
        headers["X-Request-Id"] = self.request_id
        headers["traceparent"] = self.traceparent
        headers["X-Forwarded-For"] = self.peer.address
        headers["X-Forwarded-Proto"] = self.peer.scheme
        headers["X-Forwarded-Host"] = self.host
        return headers


def of(scope: Scope) -> RequestContext:
    """The context that the edge has stored in the request's state."""
    context = scope["state"]["request_context"]
    assert isinstance(context, RequestContext)  # noqa: S101 - the edge is the only way in
    return context


def by_name(headers: list[Header]) -> dict[str, list[str]]:
    """All the values of each header, by its lower-case name."""
    result: dict[str, list[str]] = {}
    for name, value in headers:
        result.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return result


def request_id(headers: Mapping[str, list[str]]) -> str:
    """The client's id where it is valid, else a new one. It only finds log lines."""
    given = headers.get("x-request-id", [])
    return given[0] if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]) else str(uuid.uuid4())


def traceparent(headers: Mapping[str, list[str]]) -> str:
    """The client's trace (W3C Trace Context §3.2) where it is well-formed, else a new one that is sampled."""
    given = headers.get("traceparent", [])
    if len(given) == 1 and _TRACEPARENT.fullmatch(given[0]):
        return given[0]
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
