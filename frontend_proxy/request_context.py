"""What the edge knows of a request, for the code behind it."""

from collections.abc import Mapping
from typing import NamedTuple

from multidict import CIMultiDict

from common.request_ids import RequestIds
from frontend_proxy.asgi import Scope
from frontend_proxy.cookies import Header, SentTokens
from frontend_proxy.edge.peers import Peer


class RequestContext(NamedTuple):
    """An admitted request: its ids, its client, its cookies."""

    ids: RequestIds
    peer: Peer
    host: str
    sent_tokens: SentTokens
    cookies: Mapping[str, str]

    @property
    def request_id(self) -> str:
        return self.ids.request_id

    def with_forwarding_headers(self, headers: CIMultiDict[str]) -> CIMultiDict[str]:
        """`headers` with the request's ids and the forwarding headers for the next hop."""
        headers.update(self.ids.headers())
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
