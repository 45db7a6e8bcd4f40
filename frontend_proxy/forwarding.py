"""Which headers pass in each direction, and how bodies are streamed."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import lru_cache

from multidict import CIMultiDict

from common import header_bytes
from common.http_exchange import Exchange, ExchangeFailed
from frontend_proxy.asgi import Receive, Send
from frontend_proxy.cookies import Header
from frontend_proxy.problems import Problem
from frontend_proxy.upstream import Upstream

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110 §7.6.1, and older names that are still in use."""

_OURS = frozenset(
    {
        "authorization",  # comes from the cookie alone
        "cookie",
        "content-length",  # set again where the body's length is known
        "expect",  # answered by the server before the body is read
        "forwarded",
        "host",
        "x-internal-key",
        "x-original-url",
        "x-real-ip",
        "x-request-id",
        "x-rewrite-url",
        "x-session-id",
        "traceparent",
        "x-anonymous-consumer",
    }
)
_OURS_PREFIXES = (
    *("x-forwarded-", "x-user-", "x-internal-"),
    *("x-consumer-", "x-credential-", "x-authenticated-"),  # Kong's plugins' own words for a caller
)

_NOT_FOR_BROWSERS = frozenset({b"date", b"server", b"set-cookie", b"via", b"x-request-id"})
"""The server sets the date. Only this proxy sets cookies."""


def forwarded_request_headers(headers: Sequence[Header]) -> CIMultiDict[str]:
    """The request headers that go upstream, before this proxy adds its own."""
    named = _named_by_connection(headers)
    result: CIMultiDict[str] = CIMultiDict()
    for raw_name, raw_value in headers:
        name = _upstream_name(raw_name)
        if name is not None and raw_name not in named:
            result.add(name, header_bytes.sendable(raw_value))
    return result


def forwarded_response_headers(status: int, headers: Sequence[Header]) -> list[Header]:
    """The response headers that go to the browser."""
    named = _named_by_connection(headers)
    bodiless = status in {204, 304}
    kept = []
    for raw_name, value in headers:
        name = _browser_name(raw_name)
        if name is not None and name not in named and not (bodiless and name == b"content-length"):
            kept.append((name, value))
    return kept


# The names of headers are few: what becomes of each is decided once.


@lru_cache(maxsize=256)
def _upstream_name(name: bytes) -> str | None:
    """A request header's name as it goes upstream; None for one that ends here.

    Names with an underscore are dropped, as by nginx: some receivers read them as the same name with a hyphen.
    """
    text = name.decode("ascii")
    ends = text in HOP_BY_HOP or text in _OURS or "_" in text or text.startswith(_OURS_PREFIXES)
    return None if ends else text


@lru_cache(maxsize=256)
def _browser_name(name: bytes) -> bytes | None:
    """A response header's name as it goes to the browser; None for one that ends here."""
    name = name.lower()
    return None if name.decode("latin-1") in HOP_BY_HOP or name in _NOT_FOR_BROWSERS else name


def _named_by_connection(headers: Sequence[Header]) -> frozenset[bytes]:
    """Headers that `Connection` names: they end at this hop."""
    values = [value for name, value in headers if name.lower() == b"connection"]
    return _names(b",".join(values)) if values else frozenset()


@lru_cache(maxsize=64)
def _names(listed: bytes) -> frozenset[bytes]:
    return frozenset(token.strip().lower() for token in listed.split(b","))


class RequestBody:
    """A request's body as it arrives, and whether its sender has disconnected."""

    def __init__(self, receive: Receive, headers: Iterable[Header]) -> None:
        self._receive = receive
        framing = {
            name: value for name, value in headers if name in {b"content-length", b"transfer-encoding"}
        }
        self.length = framing[b"content-length"].decode("ascii") if b"content-length" in framing else None
        """The body's `Content-Length`, if it has one."""
        self.exists = bool(framing)
        self._finished = not self.exists
        self.fault: Problem | None = None
        """Why the body ended early. The HTTP client that reads it reports that as an error of its own connection."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, in pieces. A client that disconnects before its end ends the upstream request too."""
        while not self._finished:
            try:
                message = await self._receive()
            except Problem as fault:
                self.fault = fault
                raise
            if message["type"] == "http.disconnect":
                self.fault = Problem(400, "", "The request ended before its body did.", close=True)
                raise self.fault
            self._finished = not message.get("more_body", False)
            if message["body"]:
                yield message["body"]

    async def whole(self, limit: int) -> bytes:
        """The complete body. Raises Problem 413 over `limit` bytes."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                raise Problem(
                    413, "request-too-large", f"This request's body is at most {limit} bytes.", close=True
                )
        return bytes(body)

    async def left(self) -> None:
        """Returns when the client has disconnected. While the body is being read, its reader is told instead."""
        if not self._finished:
            await asyncio.Event().wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def stream(
    response: Exchange,
    upstream: Upstream,
    extra: list[Header],
    incoming: RequestBody,
    send: Send,
) -> None:
    """Streams a response to the client; no more than a buffer of it is in memory.

    A response that breaks off upstream breaks off here too: a client must not take it for a complete one.
    """
    if response.complete and response.small:
        headers = forwarded_response_headers(response.status, response.raw_headers) + extra
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": await response.chunk(), "more_body": False})
        return
    leaving = asyncio.ensure_future(incoming.left())
    leaving.add_done_callback(lambda done: None if done.cancelled() else response.close())
    try:
        headers = forwarded_response_headers(response.status, response.raw_headers) + extra
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if response.waits:
            # The server keeps a head for the first piece of its body: this one does not wait for the upstream's.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
        while chunk := await response.chunk(upstream.pool.timeout):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError as fault:
        raise upstream.timed_out() from fault
    except ExchangeFailed as fault:
        if not leaving.done():
            raise upstream.unavailable() from fault
    finally:
        leaving.cancel()
        response.close()
